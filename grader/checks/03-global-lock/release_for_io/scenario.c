/* scenario.c - a few threads that wait for the world outside.
 *
 * What the lock guards is `guarded`, a plain number, and an inbox: where a thread touches one of them without the lock,
 * that is a race.
 */
#include "scenario.h"

#include "release_for_io.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { HOUR_US = 1000000000 };

struct stage {
    struct gil *gil;
    struct release_for_io_inbox *inbox; /* guarded by gil */
    int guarded;                        /* guarded by gil */
    int ends[2];                        /* of a pipe */
    struct gate waits, filled;
};

static void make(struct stage *stage)
{
    *stage = (struct stage){.guarded = 0};
    ensure(gil_create(&stage->gil) == 0, "gil_create returned an error");
    ensure(gil_set_interval(stage->gil, HOUR_US) == 0, "gil_set_interval returned an error");
    ensure(release_for_io_inbox_create(&stage->inbox) == 0, "release_for_io_inbox_create returned an error");
    ensure(pipe(stage->ends) == 0, "the scenario could not make a pipe");
}

static void end(struct stage *stage)
{
    close(stage->ends[0]);
    close(stage->ends[1]);
    release_for_io_inbox_destroy(stage->inbox);
    gil_destroy(stage->gil);
}

static void put(struct stage *stage, const char *text)
{
    ensure(write(stage->ends[1], text, strlen(text)) == (ssize_t)strlen(text),
           "the scenario could not write to a pipe");
}

static struct gil_thread *enter(struct stage *stage)
{
    struct gil_thread *me = NULL;

    ensure(gil_thread_create(stage->gil, &me) == 0, "gil_thread_create returned an error");
    ensure(gil_take(me) == 0, "gil_take returned an error");
    return me;
}

static void leave(struct gil_thread *me)
{
    ensure(gil_is_held(me), "the lock is not held after a call");
    ensure(gil_drop(me) == 0, "gil_drop returned an error");
    gil_thread_destroy(me);
}

static void two_of(void *(*body)(void *), struct stage *stage)
{
    pthread_t a = scenario_thread(body, stage), b = scenario_thread(body, stage);

    scenario_join(a);
    scenario_join(b);
}

/* ---- sleeping --------------------------------------------------------------------------------------------------- */

static void *add_sleep_add(void *argument)
{
    struct stage *stage = argument;
    struct gil_thread *me = enter(stage);

    stage->guarded++;
    ensure(release_for_io_sleep(me, 100) == 0, "release_for_io_sleep returned an error");
    stage->guarded++;
    leave(me);
    return NULL;
}

static void two_sleepers(void)
{
    struct stage stage;

    make(&stage);
    two_of(add_sleep_add, &stage);
    ensure(stage.guarded == 4, "two threads added 2 each under the lock, and the sum is %d", stage.guarded);
    end(&stage);
}

/* ---- calling ---------------------------------------------------------------------------------------------------- */

static int nothing(void *argument)
{
    return *(int *)argument;
}

static void *add_call_add(void *argument)
{
    struct stage *stage = argument;
    struct gil_thread *me = enter(stage);
    int seven = 7, result = 0;

    stage->guarded++;
    ensure(release_for_io_call(me, nothing, &seven, &result) == 0, "release_for_io_call returned an error");
    ensure(result == 7, "the function returned 7, and release_for_io_call stored something else");
    stage->guarded++;
    leave(me);
    return NULL;
}

static void two_callers(void)
{
    struct stage stage;

    make(&stage);
    two_of(add_call_add, &stage);
    ensure(stage.guarded == 4, "two threads added 2 each under the lock, and the sum is %d", stage.guarded);
    end(&stage);
}

/* ---- the inbox -------------------------------------------------------------------------------------------------- */

static void *receive(void *argument)
{
    struct stage *stage = argument;
    struct gil_thread *me = enter(stage);
    size_t got = 0;

    ensure(release_for_io_receive(me, stage->inbox, stage->ends[0], 2, &got) == 0,
           "release_for_io_receive returned an error");
    ensure(got == 2, "2 bytes were there to be received, and not 2 came");
    ensure(release_for_io_inbox_size(stage->inbox) >= 2, "2 bytes were received, and the inbox has fewer");
    leave(me);
    return NULL;
}

static void two_receivers(void)
{
    struct stage stage;

    make(&stage);
    put(&stage, "abab");
    two_of(receive, &stage);
    ensure(release_for_io_inbox_size(stage.inbox) == 4,
           "two threads received 2 bytes each, and the inbox does not have 4");
    ensure(memcmp(release_for_io_inbox_bytes(stage.inbox), "abab", 4) == 0, "the bytes received are not those sent");
    end(&stage);
}

/* One waits for bytes. When he does, another fills the inbox, so that it moves; then the bytes come. */
static void *receive_late(void *argument)
{
    struct stage *stage = argument;
    struct gil_thread *me = enter(stage);
    size_t got = 0;

    gate_open(&stage->waits);
    ensure(release_for_io_receive(me, stage->inbox, stage->ends[0], 3, &got) == 0,
           "release_for_io_receive returned an error");
    ensure(got == 3, "3 bytes were there to be received, and not 3 came");
    leave(me);
    return NULL;
}

static void *fill_then_send(void *argument)
{
    struct stage *stage = argument;
    struct stage own;
    size_t got = 0;

    make(&own);
    put(&own, "0123456789012345678901234567890123456789");
    gate_pass(&stage->waits);
    struct gil_thread *me = enter(stage);
    for (int i = 0; i < 4; i++)
        ensure(release_for_io_receive(me, stage->inbox, own.ends[0], 10, &got) == 0 && got == 10,
               "release_for_io_receive of 10 bytes that are there returned an error, or fewer");
    leave(me);
    put(stage, "END");
    end(&own);
    return NULL;
}

static void filled_meanwhile(void)
{
    struct stage stage;

    make(&stage);
    pthread_t a = scenario_thread(receive_late, &stage), b = scenario_thread(fill_then_send, &stage);
    scenario_join(a);
    scenario_join(b);
    ensure(release_for_io_inbox_size(stage.inbox) == 43, "43 bytes were received, and the inbox has another number");
    ensure(memcmp(release_for_io_inbox_bytes(stage.inbox), "0123456789012345678901234567890123456789END", 43) == 0,
           "the bytes in the inbox are not those received");
    end(&stage);
}

/* Two wait for bytes, one after the other, before a third has his: there must be room for what all of them bring. Each
 * gets the lock only when the one before waits in his read. */
struct waiting {
    struct stage *stage;
    struct stage own; /* only its pipe is used */
    struct gate waits;
};

static void *receive_own(void *argument)
{
    struct waiting *waiting = argument;
    struct gil_thread *me = enter(waiting->stage);
    size_t got = 0;

    gate_open(&waiting->waits);
    ensure(release_for_io_receive(me, waiting->stage->inbox, waiting->own.ends[0], 2, &got) == 0 && got == 2,
           "release_for_io_receive of 2 bytes returned an error, or fewer");
    leave(me);
    return NULL;
}

static void three_wait(void)
{
    struct stage stage;
    struct waiting waiting[3] = {{.stage = &stage}, {.stage = &stage}, {.stage = &stage}};
    pthread_t threads[3];

    make(&stage);
    for (int i = 0; i < 3; i++) {
        make(&waiting[i].own);
        threads[i] = scenario_thread(receive_own, &waiting[i]);
        gate_pass(&waiting[i].waits);
    }
    leave(enter(&stage)); /* the last one waits, too */
    for (int i = 0; i < 3; i++) {
        put(&waiting[i].own, "xy");
        scenario_join(threads[i]);
        end(&waiting[i].own);
    }
    ensure(release_for_io_inbox_size(stage.inbox) == 6, "three threads received 2 bytes each, and the inbox has not 6");
    ensure(memcmp(release_for_io_inbox_bytes(stage.inbox), "xyxyxy", 6) == 0, "the bytes received are not those sent");
    end(&stage);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static void wrongly(void)
{
    struct stage stage;
    struct gil_thread *idle = NULL;
    char buffer[4];
    size_t got;
    int result;

    make(&stage);
    ensure(gil_thread_create(stage.gil, &idle) == 0, "gil_thread_create returned an error");
    struct gil_thread *me = enter(&stage);
    ensure(release_for_io_sleep(me, -1) == EINVAL, "release_for_io_sleep of -1 µs did not return EINVAL");
    ensure(release_for_io_read(me, -1, buffer, sizeof buffer, &got) == EBADF, "a read of descriptor -1 is not EBADF");
    ensure(release_for_io_receive(me, stage.inbox, -1, 4, &got) == EBADF, "a read of descriptor -1 is not EBADF");
    ensure(release_for_io_sleep(idle, 1) == EPERM, "release_for_io_sleep without the lock did not return EPERM");
    ensure(release_for_io_read(idle, 0, buffer, 1, &got) == EPERM, "a read without the lock did not return EPERM");
    ensure(release_for_io_receive(idle, stage.inbox, 0, 1, &got) == EPERM, "a read without the lock is not EPERM");
    ensure(release_for_io_call(idle, nothing, &result, &result) == EPERM, "a call without the lock is not EPERM");
    put(&stage, "xy");
    ensure(release_for_io_read(me, stage.ends[0], buffer, sizeof buffer, &got) == 0 && got == 2,
           "release_for_io_read of 2 bytes that are there returned an error, or fewer");
    leave(me);
    gil_thread_destroy(idle);
    release_for_io_inbox_destroy(NULL);
    end(&stage);
}

SCENARIOS = {
    {"two_sleepers", two_sleepers, "two threads add 1, sleep, and add 1"},
    {"two_callers", two_callers, "two threads add 1, make a call without the lock, and add 1"},
    {"two_receivers", two_receivers, "two threads receive 2 bytes each into the same inbox"},
    {"filled_meanwhile", filled_meanwhile, "one thread waits for bytes while another fills the inbox"},
    {"three_wait", three_wait, "three threads wait for bytes, then they come"},
    {"wrongly", wrongly, "one thread makes calls that cannot be"},
    SCENARIOS_END,
};
