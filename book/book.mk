# book.mk - the pages, their checks, the measurements and the quoted screens. Included by the Makefile.
#
#   make book          build/book/index.html and a page a chapter
#   make check-book    the pages' links and boxes, and the filters' own checks
#   make measure       runs the chapters' measurements on this machine; NAME=01-threads/thread_cost only that one
#   make screens       runs the grader for the screens that the chapters quote; NAME=counter_race only that one

BOOK       := $(BUILD)/book
BOOK_PAGES := $(patsubst chapters/%.md,$(BOOK)/%.html,$(sort $(wildcard chapters/[0-9][0-9]-*.md)))
# What a page may quote. All pages are made again where any of it changed: that takes a few seconds.
BOOK_PARTS := $(wildcard book/*.yaml book/*.html book/*.lua book/*.gp book/filters/*.lua book/screens/*.txt) \
  $(wildcard chapters/*.md solutions/*/*.c exercises/*/*/*.[ch] grader/checks/*/*/exercise.ini grader/checks/*/*/hints.md) \
  $(wildcard book/examples/*/* book/measure/*/* book/measured/*/*)

# From the command line only: some systems have a NAME in everybody's environment.
ONLY = $(if $(filter command,$(origin NAME)),$(NAME))

.PHONY: book check-book measure screens
book: $(BOOK_PAGES) $(BOOK)/index.html $(BOOK)/book.css
	@for page in $(BOOK)/*.html; do case " $^ " in *" $$page "*) ;; *) rm -f "$$page" ;; esac; done
	@echo "The book is in $(BOOK)/index.html: $(words $(BOOK_PAGES)) chapters."

$(BOOK)/%.html: chapters/%.md $(BOOK_PARTS) | $(BUILD)/.setup-book
	@mkdir -p $(@D)
	@pandoc --defaults book/common.yaml --defaults book/html.yaml $< -o $@

$(BOOK)/index.html: book/contents.md $(BOOK_PARTS) | $(BUILD)/.setup-book
	@mkdir -p $(@D)
	@pandoc --defaults book/common.yaml --defaults book/contents.yaml $< -o $@

$(BOOK)/book.css: book/book.css
	@mkdir -p $(@D)
	@cp $< $@

check-book: $(BUILD)/.setup-book
	@book/check.sh

measure: $(BUILD)/.setup-measure
	@CC="$(CC)" BUILD="$(BUILD)" book/measure.sh $(ONLY)

screens: $(GRADE)
	@BUILD="$(BUILD)" book/screens.sh $(ONLY)
