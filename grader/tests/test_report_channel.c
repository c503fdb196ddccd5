/* test_report_channel.c - the channel through which a program reports, and who is taken for starved. */
#include "memory.h"
#include "report_channel.h"
#include "starvation.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct fault fault;

Test(report_channel, what_was_written_is_read_and_only_the_key_signs)
{
    void *context = memory_context(NULL);
    struct report_channel channel, other;
    char key[64] = "", *text = NULL;

    cr_assert_eq(report_channel_open(&channel, &fault), 0, "%s", fault.text);
    cr_assert_eq(report_channel_open(&other, &fault), 0, "%s", fault.text);
    cr_assert_eq(pread(channel.key, key, sizeof key - 1, 0), (ssize_t)strlen(channel.secret));
    cr_expect_str_eq(key, channel.secret);
    cr_expect_str_neq(channel.secret, other.secret, "each run has a key of its own");

    json_t *right = json_pack("{s:s}", "key", key), *wrong = json_pack("{s:s}", "key", other.secret);
    json_t *none = json_object();
    cr_expect(report_channel_signed(&channel, right));
    cr_expect(!report_channel_signed(&channel, wrong));
    cr_expect(!report_channel_signed(&channel, none));
    json_decref(right);
    json_decref(wrong);
    json_decref(none);

    /* A write at the beginning does not get there: the file is open for appending. */
    cr_assert_eq(write(channel.report, "one\n", 4), 4);
    cr_assert_eq(lseek(channel.report, 0, SEEK_SET), 0);
    cr_assert_eq(write(channel.report, "two\n", 4), 4);
    cr_assert_eq(report_channel_read(context, &channel, &text, &fault), 0, "%s", fault.text);
    cr_expect_str_eq(text, "one\ntwo\n");
    report_channel_close(&channel);
    report_channel_close(&other);
    cr_expect_eq(channel.report, -1);
    report_channel_close(&channel);
    talloc_free(context);
}

Test(starvation, who_came_to_the_wall_limit_kept_waiting_is_starved_and_nobody_else)
{
    static const struct {
        const char *what;
        enum child_end end;
        double cpu_s, wall_s, delayed_s;
        bool starved;
    } cases[] = {
        {"kept waiting", CHILD_TIMED_OUT, 1, 60, 40, true},
        {"asleep", CHILD_TIMED_OUT, 0.1, 60, 0.2, false},
        {"busy for good, though also kept waiting", CHILD_TIMED_OUT, 8, 60, 50, false},
        {"ended by itself", CHILD_EXITED, 1, 60, 40, false},
        {"used up its processor time", CHILD_OVER_CPU, 20, 60, 40, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct starvation starvation = {cases[i].delayed_s};
        struct child_result result = {.end = cases[i].end, .cpu_s = cases[i].cpu_s, .wall_s = cases[i].wall_s};
        cr_expect_eq(starvation_found(&starvation, &result, 20), cases[i].starved, "%s", cases[i].what);
    }
}

Test(starvation, a_process_that_is_gone_waited_for_nothing)
{
    cr_expect_eq(starvation_delay_s(1 << 30), 0);
    cr_expect_geq(starvation_delay_s(getpid()), 0);
}
