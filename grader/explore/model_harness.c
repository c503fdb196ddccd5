/* model_harness.c - what the harness of the exercises (grader/harness) gives to scenarios, modelled: gates, crews,
 * tallies, threads, and the sentence of a scenario whose promise was not kept.
 *
 * A scenario is compiled with -DINTERLEAVE and linked without the harness's own gate.c; its calls come here, so that
 * the trace has them at the scenario's own lines. As for the other detectors, gates and tallies order nothing: no
 * vector clock of the race detector (il_acquire, il_release) is touched. They do order the run (il_event), since what
 * may happen next depends on them.
 */
#include "model.h"

#include "../harness/gate.h"
#include "dpor.h"
#include "heap.h"
#include "record.h"
#include "sync_table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* ---- gates ------------------------------------------------------------------------------------------------------- */

/* The truth is in the program's memory: a gate may lie where another lay before in the same run. */
static struct sync *gate_of(const struct gate *gate)
{
    struct sync *on = sync_use(gate, SYNC_GATE);
    on->value = gate->open != 0;
    return on;
}

/* No scheduling point: until then nobody can have passed, and nobody can look at a gate without waiting for it. */
static void open_it(struct gate *gate)
{
    struct sync *on = gate_of(gate);
    gate->open = 1;
    on->value = 1;
    il_event(on, true, 0);
}

static void pass_it(struct gate *gate)
{
    struct sync *on = gate_of(gate);
    il_wish(WISH_GATE, on, NO_DEADLINE);
    il_event(on, false, 0);
}

void il_gate_open(struct gate *gate)
{
    IL_ENTER();
    open_it(gate);
    record_note("opens the gate", NULL, -1);
}

void il_gate_pass(struct gate *gate)
{
    IL_ENTER();
    pass_it(gate);
    record_note("passes the gate", NULL, -1);
}

void il_crew_meet(struct crew *crew)
{
    IL_ENTER();
    if (++crew->inside >= crew->size)
        open_it(&crew->full);
    else
        il_event(gate_of(&crew->full), true, 0); /* who opens depends on who came before */
    pass_it(&crew->full);
    record_note("has met the others", NULL, -1);
}

/* ---- tallies ----------------------------------------------------------------------------------------------------- */

static struct sync *tally_of(const struct tally *tally, bool only_looks)
{
    struct sync *on = sync_use(tally, SYNC_ATOMIC);
    if (only_looks)
        il_wish_look(tally);
    else
        il_wish(WISH_GO, NULL, NO_DEADLINE);
    return on;
}

long il_tally_add(struct tally *tally, long amount)
{
    IL_ENTER();
    struct sync *on = tally_of(tally, false);
    tally->value += amount;
    il_event(on, true, 0);
    record_note("counts", NULL, -1);
    return tally->value;
}

long il_tally_read(struct tally *tally)
{
    IL_ENTER();
    struct sync *on = tally_of(tally, true);
    il_event(on, false, 0);
    il_looked(tally, (uint64_t)tally->value);
    record_note("reads the count", NULL, -1);
    return tally->value;
}

/* ---- threads that have ended ------------------------------------------------------------------------------------- */

static int alive(void)
{
    int count = 0;
    for (int i = 0; i < il.n; i++)
        count += il.threads[i].life == LIFE_RUNS;
    return count;
}

int il_alone_count(void)
{
    IL_ENTER();
    dpor_give_up(); /* depends on what every other thread does */
    il_event(NULL, false, (uint64_t)alive());
    return alive();
}

void il_alone_wait(int count)
{
    IL_ENTER();
    dpor_give_up();
    while (alive() > count)
        il_wish_for((struct wish){.kind = WISH_WRITE, .whom = il.writes, .deadline_ns = NO_DEADLINE});
    uint64_t ended = 0;
    for (int i = 0; i < il.n; i++)
        if (il.threads[i].life == LIFE_ENDED)
            ended += il.threads[i].order;
    il_event(NULL, false, ended);
    record_note("waits until others have ended", NULL, -1);
}

/* ---- the scenario itself ----------------------------------------------------------------------------------------- */

static uint32_t scenario_run; /* the run whose scenario has begun and not returned */

void il_scenario_begin(void)
{
    scenario_run = il.run;
}

void il_scenario_end(void)
{
    scenario_run = 0;
}

void model_scenario_left(void)
{
    if (scenario_run == il.run)
        il_found(FIND_EXIT, NULL, "%s ends the program in the middle of the scenario", il_name(il.current));
}

/* ---- threads and failures ---------------------------------------------------------------------------------------- */

pthread_t il_scenario_thread(void *(*body)(void *), void *argument)
{
    IL_ENTER();
    return model_thread_make(body, argument);
}

void il_scenario_join(pthread_t thread)
{
    IL_ENTER();
    int error = model_thread_join(thread);
    if (error)
        il_found(FIND_CANNOT, NULL, "the scenario joins what is no thread of its own (%d)", error);
}

_Noreturn void il_scenario_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    IL_ENTER();
    char text[512];
    va_list arguments;
    (void)file;
    (void)line;
    (void)condition;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    record_note("finds a promise broken", NULL, -1);
    il_found(FIND_ASSERTION, NULL, "%s", text);
}
