# interleave: read a chapter, edit one file, `make grade`, know what is wrong and why.
#
#   make                      where you are and what to do next
#   make grade                grade all exercises; EX=rlock one of them; SUBMISSIONS=DIR a class
#   make next | hint EX=… | watch | reset EX=…
#   make explore EX=… | replay EX=… TOKEN=…      every order of its threads; one of them, step by step
#   make test                 the project's checks on itself
#   make book | measure | bench | stability | noise | doctor | clean

ROOT  := $(CURDIR)
BUILD := build
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := where

CC     ?= cc
CFLAGS ?= -O2 -g
STRICT := -std=c17 -Wall -Wextra -Werror -D_GNU_SOURCE -Igrader/src
LIBS   := -ldw -lelf -lexpat -ljansson -linih -lnettle -ltalloc -lcapstone -lm
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

SOURCES := $(sort $(wildcard grader/src/*.c))
OBJECTS := $(SOURCES:grader/src/%.c=$(BUILD)/obj/%.o)
CORE    := $(filter-out $(BUILD)/obj/main.o,$(OBJECTS))
UNITS   := $(sort $(wildcard grader/tests/test_*.c))
UNIT_OBJECTS := $(UNITS:grader/tests/%.c=$(BUILD)/obj/%.o)
ASAN_OBJECTS := $(patsubst $(BUILD)/obj/%,$(BUILD)/asan/%,$(CORE) $(UNIT_OBJECTS))

GRADE := $(BUILD)/grade
RUN   := $(GRADE) --root "$(ROOT)"

# ---- set-up ------------------------------------------------------------------------------------------------------

$(BUILD)/.setup-grade: grader/packages.txt grader/setup.sh
	@grader/setup.sh grade
	@mkdir -p $(BUILD) && touch $@

$(BUILD)/.setup-test: grader/packages.txt grader/setup.sh
	@grader/setup.sh grade test book
	@mkdir -p $(BUILD) && touch $@ $(BUILD)/.setup-grade $(BUILD)/.setup-book

$(BUILD)/.setup-book: grader/packages.txt grader/setup.sh
	@grader/setup.sh grade book
	@mkdir -p $(BUILD) && touch $@

$(BUILD)/.setup-measure: grader/packages.txt grader/setup.sh
	@grader/setup.sh grade book measure
	@mkdir -p $(BUILD) && touch $@

# ---- the grader --------------------------------------------------------------------------------------------------

# Says at once, on standard error, what takes so long; nothing where there is nothing to build.
say_building = @if [ ! -e $(1) ]; then echo "Building $(2), once (a minute or two)…" >&2; \
  elif [ -n "$$(find $(3) -name '*.[ch]' -newer $(1) | head -n 1)" ]; then echo "Building $(2) anew: its sources have changed…" >&2; fi

.PHONY: say-grader
say-grader:
	$(call say_building,$(GRADE),the grader,grader/src)

$(BUILD)/obj/%.o: grader/src/%.c | say-grader $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@$(CC) $(STRICT) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/%.o: grader/tests/%.c | $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@$(CC) $(STRICT) $(CFLAGS) -MMD -MP -c $< -o $@

# A light stand-in for the heaviest library that Criterion brings (see the source). Its name is the one that libcriterion
# asks for; where it asks for none, there is nothing to do.
$(BUILD)/lib/.made: grader/harness/no_diff.c | $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@name=$$(objdump -p "$$($(CC) -print-file-name=libcriterion.so)" | sed -n 's/^ *NEEDED *\(libgit2\.so.*\)$$/\1/p'); \
	if [ -n "$$name" ]; then $(CC) -std=c17 -O2 -shared -fPIC -Wl,-soname,"$$name" $< -o "$(@D)/$$name"; fi
	@touch $@

# Programs with Criterion find it there: every test is a process of its own, and starts the quicker for it.
LIGHT = -Wl,--disable-new-dtags,-rpath,$(abspath $(BUILD))/lib

# And the C library without its debug information: helgrind starts in three fifths of the time. Made anew for each C
# library that this machine gets; the file says for which it was made last.
LIBC_ID := $(shell readelf -n /lib/*-linux-gnu/libc.so.6 2>/dev/null | sed -n 's/^ *Build ID: *//p' | head -n 1)
$(BUILD)/lib/.libc-$(LIBC_ID): grader/light_libc.sh | $(BUILD)/.setup-grade
	@sh grader/light_libc.sh $(BUILD)/lib
	@touch $@

$(GRADE) $(BUILD)/unit $(BUILD)/unit-asan: $(BUILD)/lib/.made $(BUILD)/lib/.libc-$(LIBC_ID)
$(GRADE): $(OBJECTS)
	@$(CC) $(CFLAGS) -pthread $(OBJECTS) $(LIBS) -o $@

SELFCHECK := $(patsubst grader/tests/%.c,$(BUILD)/obj/%.o,$(sort $(wildcard grader/tests/selfcheck*.c)))
$(BUILD)/selfcheck: $(CORE) $(SELFCHECK)
	@$(CC) $(CFLAGS) -pthread $^ $(LIBS) -o $@

$(BUILD)/unit: $(CORE) $(UNIT_OBJECTS)
	@$(CC) $(CFLAGS) -pthread $(filter %.o,$^) $(LIBS) -lcriterion $(LIGHT) -o $@

$(BUILD)/asan/%.o: grader/src/%.c | $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@$(CC) $(STRICT) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/asan/%.o: grader/tests/%.c | $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@$(CC) $(STRICT) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/unit-asan: $(ASAN_OBJECTS)
	@$(CC) $(SANITIZE) -pthread $(filter %.o,$^) $(LIBS) -lcriterion $(LIGHT) -o $@

$(BUILD)/asan/grade: $(filter-out $(BUILD)/asan/test_%,$(ASAN_OBJECTS)) $(BUILD)/asan/main.o
	@$(CC) $(SANITIZE) -pthread $^ $(LIBS) -o $@

-include $(wildcard $(BUILD)/obj/*.d $(BUILD)/asan/*.d)

# ---- students and instructors ------------------------------------------------------------------------------------

# The stage interleavings runs build/interleave (grader/explore/explore.mk).
grade watch explore replay doctor screens unit unit-asan selfcheck stability noise bench: $(BUILD)/interleave

.PHONY: where grade next hint watch reset explore replay doctor
where: $(GRADE)
	@$(RUN) list

# EX, TREE, OWN, SUBMISSIONS, JOBS, JSON, STAGES and ARGS become the command line of build/grade.
GRADE_ARGS = $(if $(TREE),--tree "$(TREE)") $(if $(SUBMISSIONS),--submissions "$(SUBMISSIONS)") \
  $(if $(OUT),--out "$(OUT)") $(if $(SOURCE),--source "$(SOURCE)") $(if $(STAGES),--stages "$(STAGES)") \
  $(if $(OWN),--own) $(if $(JOBS),--jobs "$(JOBS)") $(if $(JSON),--json "$(JSON)") $(ARGS) $(EX)

EXPLORE_ARGS = $(if $(TREE),--tree "$(TREE)") $(if $(SOURCE),--source "$(SOURCE)") $(if $(OWN),--own) \
  $(if $(JSON),--json "$(JSON)") $(ARGS) $(EX)

grade: $(GRADE)
	@$(RUN) $(GRADE_ARGS)

next: $(GRADE)
	@$(RUN) next

hint watch reset: $(GRADE)
	@$(RUN) $@ $(ARGS) $(EX)

explore: $(GRADE)
	@$(RUN) explore $(EXPLORE_ARGS)

replay: $(GRADE)
	@$(RUN) replay $(EXPLORE_ARGS) "$(TOKEN)"

doctor: $(GRADE)
	@$(RUN) doctor

# ---- checks on ourselves -----------------------------------------------------------------------------------------

.PHONY: test libraries unit unit-asan selfcheck lint format starters stability noise bench clean
test: $(BUILD)/.setup-test
	@grader/tests/run.sh

unit: $(BUILD)/unit $(GRADE)
	@$(BUILD)/unit --short-filename

unit-asan: $(BUILD)/unit-asan $(BUILD)/asan/grade
	@grader/tests/run.sh build unit-asan

selfcheck: $(BUILD)/selfcheck
	@$(BUILD)/selfcheck --root "$(ROOT)" $(ARGS) $(EX)

lint: $(BUILD)/.setup-test
	@grader/tests/lint.sh

# After a starter has been changed: what `make reset` puts back, and what counts as not begun (grader/src/starter.h).
starters:
	@LC_ALL=C sha256sum exercises/*/*/*.c >grader/checks/starters.sha256

format:
	@clang-format -i $$(git ls-files '*.c' '*.h' ':!grader/tests/data')

stability: $(BUILD)/selfcheck
	@$(BUILD)/selfcheck --root "$(ROOT)" stability $(ARGS) $(EX)

# Loaded before a tests program, it makes threads slow in turn.
$(BUILD)/noise.so: grader/harness/noise.c | $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@$(CC) $(STRICT) $(CFLAGS) -shared -fPIC $< -o $@

noise: $(BUILD)/selfcheck $(BUILD)/noise.so
	@$(BUILD)/selfcheck --root "$(ROOT)" noise $(ARGS) $(EX)

libraries: $(BUILD)/.setup-grade
	@CC="$(CC)" BUILD="$(BUILD)" grader/tests/libraries.sh

bench: $(BUILD)/.setup-measure $(BUILD)/selfcheck $(GRADE)
	@$(BUILD)/selfcheck --root "$(ROOT)" bench $(ARGS) $(EX)
	@[ -n "$(EX)" ] || CC="$(CC)" BUILD="$(BUILD)" grader/tests/bench_against.sh

clean:
	@rm -rf $(BUILD)

include $(wildcard book/book.mk)
include $(wildcard grader/explore/explore.mk)
