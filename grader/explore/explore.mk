# explore.mk - build/interleave, the explorer of interleavings (grader/explore), and its checks.

EXPLORE_SOURCES := $(sort $(wildcard grader/explore/*.c))
EXPLORE_OBJECTS := $(EXPLORE_SOURCES:grader/explore/%.c=$(BUILD)/explore/%.o) \
  $(BUILD)/explore/fiber_x86_64.S.o $(BUILD)/explore/fiber_aarch64.S.o

# Every access and every call of the program under test ends in a short function of one of these files: what the
# compiler can inline from one file into another, and code at fixed addresses, make a tenth more interleavings a second.
EXPLORE_CFLAGS := -O3 -fno-pie $(if $(findstring clang,$(CC)),,-flto=auto)

.PHONY: say-explorer
say-explorer:
	$(call say_building,$(BUILD)/interleave,the explorer of interleavings,grader/explore -maxdepth 1)

$(BUILD)/explore/%.o: grader/explore/%.c | say-explorer $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@$(CC) -std=c17 -Wall -Wextra -Werror -D_GNU_SOURCE $(CFLAGS) $(EXPLORE_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/explore/%.S.o: grader/explore/%.S | $(BUILD)/.setup-grade
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -c $< -o $@

$(BUILD)/interleave: $(EXPLORE_OBJECTS) grader/explore/explore.list
	@$(CC) $(CFLAGS) $(EXPLORE_CFLAGS) -no-pie $(EXPLORE_OBJECTS) -Wl,--dynamic-list=grader/explore/explore.list -Wl,--no-as-needed \
	  -ldw -lelf -ljansson -lm -ldl -o $@

-include $(wildcard $(BUILD)/explore/*.d)

bench: $(BUILD)/interleave

.PHONY: check-explore check-stories
check-explore: $(BUILD)/interleave
	@grader/explore/tests/check.sh

check-stories: $(BUILD)/interleave
	@grader/explore/tests/story.sh
