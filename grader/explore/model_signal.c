/* model_signal.c - signals, as far as a thread can send them to itself. See model.h.
 *
 * Dispositions belong to the process, masks to threads. A signal that a thread raises for itself is handled before the
 * call returns, as POSIX says; one that it has masked stays pending until it is let through or waited for. One from
 * another thread is handled at the next visible operation of the thread that it is for, which is as soon as anybody
 * could tell, or in the middle of its wait: sleeps end (EINTR), a semaphore's wait does without SA_RESTART, a condition
 * variable's does as if by nobody's doing, and all others go on. One for the process goes to any thread that lets it
 * through, and to one that waits for it first.
 *
 * alarm() and ITIMER_REAL are the one thing that sends signals by itself, and they are late: SIGALRM comes when virtual
 * time has passed its moment, or where nobody can go on, or all only go round, before that moment has come. Where it
 * would end the program it never comes: that is a watchdog, and who hangs is found anyway. What the system would send
 * for other reasons (the terminal) never comes.
 */
#include "model.h"

#include "dpor.h"
#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIGNALS = 65 };
#define SECOND_NS 1000000000ULL

/* Entries of another run count for nothing. */
static struct {
    uint32_t run;
    struct sigaction actions[SIGNALS];
    struct mask {
        uint32_t run;
        sigset_t blocked, pending;
        uint8_t more[SIGNALS]; /* of a real-time signal that is pending: these wait in a queue */
        sigset_t awaited;      /* by sigwait and its like, in which it is */
        bool has_stack;        /* sigaltstack */
        stack_t stack;
    } masks[THREADS_MAX];
    struct mask process; /* pending for whoever lets it through first */
    struct alarm {
        uint32_t run;
        uint64_t at_ns; /* of virtual time; NO_DEADLINE: none is set */
        uint64_t every_ns;
        uint64_t lag_ns; /* of the clock, behind who works on without looking at it */
    } alarm;
} model;

static int fail(int error)
{
    errno = error;
    return -1;
}

static struct sigaction *action_of(int number)
{
    if (model.run != il.run) {
        model.run = il.run;
        memset(model.actions, 0, sizeof model.actions);
    }
    return number > 0 && number < SIGNALS ? &model.actions[number] : NULL;
}

static struct mask *in_this_run(struct mask *mask)
{
    if (mask->run != il.run)
        *mask = (struct mask){.run = il.run};
    return mask;
}

static struct mask *mask_of(int thread)
{
    return in_this_run(&model.masks[thread]);
}

static struct mask *mask(void)
{
    return mask_of(il.current);
}

static struct mask *process(void)
{
    return in_this_run(&model.process);
}

void model_signal_inherit(int child)
{
    model.masks[child] = (struct mask){.run = il.run, .blocked = mask()->blocked};
}

bool model_signal_ignored(int number)
{
    const struct sigaction *action = action_of(number);
    return action->sa_handler != SIG_DFL; /* a handler of SIGPIPE's only notes it */
}

/* ---- dispositions ------------------------------------------------------------------------------------------------ */

int il_sigaction(int number, const struct sigaction *new, struct sigaction *old)
{
    IL_ENTER();
    struct sigaction *action = action_of(number);
    if (!action || (new && (number == SIGKILL || number == SIGSTOP)))
        return fail(EINVAL);
    struct sigaction before = *action;
    if (new)
        *action = *new;
    if (old)
        *old = before;
    return 0;
}

static void (*set(int number, void (*handler)(int)))(int)
{
    struct sigaction *action = action_of(number);
    if (!action || number == SIGKILL || number == SIGSTOP) {
        errno = EINVAL;
        return SIG_ERR;
    }
    void (*before)(int) = action->sa_handler;
    *action = (struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART};
    return before;
}

void (*il_signal(int number, void (*handler)(int)))(int)
{
    IL_ENTER();
    return set(number, handler);
}

/* What <signal.h> makes of signal() under some feature macros. */
void (*il___sysv_signal(int number, void (*handler)(int)))(int)
{
    IL_ENTER();
    return set(number, handler);
}

/* ---- raised for oneself ------------------------------------------------------------------------------------------ */

static bool default_is_nothing(int number)
{
    return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

/* True where calls that it came into are to begin again. */
static bool handle(int number)
{
    struct sigaction action = *action_of(number);
    if (action.sa_handler == SIG_IGN || (action.sa_handler == SIG_DFL && default_is_nothing(number)))
        return true;
    if (action.sa_handler == SIG_DFL)
        il_found(FIND_CRASH, NULL, "%s gets SIG%s, which nothing handles: it ends the program", il_name(il.current),
                 sigabbrev_np(number) ? sigabbrev_np(number) : "RT");
    sigset_t before = mask()->blocked;
    sigorset(&mask()->blocked, &before, &action.sa_mask);
    if (!(action.sa_flags & SA_NODEFER))
        sigaddset(&mask()->blocked, number);
    if ((unsigned)action.sa_flags & SA_RESETHAND)
        action_of(number)->sa_handler = SIG_DFL;
    record_note("handles a signal", NULL, -1);
    int error = errno;
    siginfo_t info = {.si_signo = number, .si_code = SI_TKILL};
    if (action.sa_flags & SA_SIGINFO)
        action.sa_sigaction(number, &info, NULL);
    else
        action.sa_handler(number);
    errno = error;
    mask()->blocked = before;
    return ((unsigned)action.sa_flags & SA_RESTART) != 0;
}

/* What stands for a set of pending signals in the partial order. */
static struct sync *object_of(const struct mask *mask)
{
    return sync_use(mask, SYNC_ATOMIC);
}

static void make_pending(struct mask *to, int number)
{
    enum { FIRST_REAL_TIME = 32 }; /* of the kernel's: SIGRTMIN is one of them */
    if (number >= FIRST_REAL_TIME && sigismember(&to->pending, number) == 1 && to->more[number] < UINT8_MAX)
        to->more[number]++;
    sigaddset(&to->pending, number);
}

static bool take(struct mask *from, int number)
{
    if (sigismember(&from->pending, number) != 1)
        return false;
    if (from->more[number])
        from->more[number]--;
    else
        sigdelset(&from->pending, number);
    if (from == process() || il.n > 1) {
        struct sync *on = object_of(from);
        il_acquire(on);
        il_event(on, true, (uint64_t)number);
    }
    return true;
}

/* True where all of them let calls begin again. */
static bool handle_pending(void)
{
    bool restarts = true;
    for (int number = 1; number < SIGNALS; number++)
        while (sigismember(&mask()->blocked, number) != 1 &&
               (take(mask(), number) || take(process(), number))) /* the thread's own first */
            restarts &= handle(number);
    return restarts;
}

bool model_signals_arrive(void)
{
    return handle_pending();
}

static int raise_here(int number)
{
    if (number < 0 || number >= SIGNALS)
        return EINVAL;
    if (number) {
        make_pending(mask(), number);
        handle_pending();
    }
    return 0;
}

int il_raise(int number)
{
    IL_ENTER();
    int error = raise_here(number);
    return error ? fail(error) : 0;
}

/* ---- for others -------------------------------------------------------------------------------------------------- */

static bool comes_through(int thread, int number)
{
    const struct mask *theirs = mask_of(thread);
    return sigismember(&theirs->awaited, number) == 1 || sigismember(&theirs->blocked, number) != 1;
}

/* From here on, waits have a scheduling point before them: what comes there is missed by the wait. */
static void needs_points(void)
{
    if (il.assume.cancel_silent)
        il.assumption_broken = true;
    dpor_give_up(); /* where the other stands is no object */
    il_wish(WISH_GO, NULL, NO_DEADLINE);
}

/* Pending there, and the turn of whoever does not block it. */
static void send(struct mask *to, int thread, int number)
{
    struct sync *on = object_of(to);
    il_event(on, true, 64U + (unsigned)number);
    il_release(on);
    make_pending(to, number);
    if (thread >= 0 && sigismember(&mask_of(thread)->awaited, number) != 1 &&
        sigismember(&mask_of(thread)->blocked, number) != 1)
        il_interrupt(&il.threads[thread]);
}

static bool is_nothing(int number)
{
    const struct sigaction *action = action_of(number);
    return action->sa_handler == SIG_IGN || (action->sa_handler == SIG_DFL && default_is_nothing(number));
}

int il_pthread_kill(pthread_t handle, int number)
{
    IL_ENTER();
    struct thread *other = model_thread_of(handle);
    if (!other)
        return ESRCH;
    if (number < 0 || number >= SIGNALS)
        return EINVAL;
    if (other == il.self)
        return raise_here(number);
    if (number != 0)
        needs_points();
    else
        il_wish(WISH_GO, NULL, NO_DEADLINE);
    model_check_lives(other, "sends a signal to");
    int id = (int)(other - il.threads);
    if (number == 0 || other->life != LIFE_RUNS || (is_nothing(number) && comes_through(id, number)))
        return 0;
    record_note("sends a signal to", NULL, id);
    send(mask_of(id), id, number);
    return 0;
}

/* Whoever awaits it before those who only let it through; among equals, any. -1: nobody does either. */
static int choose_receiver(int number)
{
    uint8_t who[THREADS_MAX];
    unsigned n = 0;
    for (int await = 1; await >= 0 && n == 0; await--)
        for (int i = 0; i < il.n; i++)
            if (il.threads[i].life == LIFE_RUNS && comes_through(i, number) &&
                (sigismember(&mask_of(i)->awaited, number) == 1) == await)
                who[n++] = (uint8_t)i;
    return n ? who[il_choice(n, false)] : -1;
}

int il_kill(pid_t process_id, int number)
{
    IL_ENTER();
    if (process_id != il_getpid())
        il_found(FIND_CANNOT, NULL, "the program calls kill() for another process, which the explorer cannot model");
    if (number < 0 || number >= SIGNALS)
        return fail(EINVAL);
    if (number == 0)
        return 0;
    if (il.n > 1)
        needs_points();
    int id = choose_receiver(number);
    if (id == il.current && sigismember(&mask()->blocked, number) != 1) {
        int error = raise_here(number);
        return error ? fail(error) : 0;
    }
    if (id < 0 || !is_nothing(number))
        send(id < 0 ? process() : mask_of(id), id, number);
    return 0;
}

/* ---- waiting for them -------------------------------------------------------------------------------------------- */

static int first_of(const struct mask *from, const sigset_t *set)
{
    for (int number = 1; number < SIGNALS; number++)
        if (sigismember(set, number) == 1 && sigismember(&from->pending, number) == 1)
            return number;
    return 0;
}

static bool has_come(const struct wish *wish)
{
    struct mask *mine = mask_of((int)wish->whom);
    return first_of(mine, &mine->awaited) || first_of(process(), &mine->awaited);
}

/* The signal, or 0 where the time is over or (interrupted) another one was handled. */
static int await(const sigset_t *set, uint64_t deadline_ns)
{
    shadow_access(set, sizeof *set, false, false);
    dpor_give_up();
    mask()->awaited = *set;
    model_wait((struct wish){.kind = WISH_UNTIL,
                             .whom = (uint64_t)il.current,
                             .deadline_ns = deadline_ns,
                             .can = has_come,
                             .breaks = BREAKS_ALWAYS,
                             .waits = "waits for a signal"});
    int number = first_of(mask(), set);
    if (number)
        take(mask(), number);
    else if ((number = first_of(process(), set)) != 0)
        take(process(), number);
    sigemptyset(&mask()->awaited);
    il_event(NULL, false, (uint64_t)number);
    return number;
}

int il_sigwait(const sigset_t *set, int *number)
{
    IL_ENTER();
    int got = 0;
    while (got == 0)
        got = await(set, NO_DEADLINE);
    shadow_access(number, sizeof *number, true, false);
    *number = got;
    return 0;
}

static int await_info(const sigset_t *set, siginfo_t *info, uint64_t deadline_ns)
{
    int number = await(set, deadline_ns);
    if (number == 0)
        return fail(il.self->interrupted ? EINTR : EAGAIN);
    if (info) {
        shadow_access(info, sizeof *info, true, false);
        *info = (siginfo_t){.si_signo = number, .si_code = SI_TKILL};
    }
    return number;
}

int il_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    IL_ENTER();
    return await_info(set, info, NO_DEADLINE);
}

int il_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit)
{
    IL_ENTER();
    uint64_t ns;
    if (limit->tv_sec < 0 || limit->tv_nsec < 0 || limit->tv_nsec >= 1000000000L)
        return fail(EINVAL);
    ns = (uint64_t)limit->tv_sec * 1000000000ULL + (uint64_t)limit->tv_nsec;
    il_event(NULL, false, il.now_ns);
    return await_info(set, info, il.now_ns + ns);
}

static bool never(const struct wish *wish)
{
    (void)wish;
    return false;
}

static struct wish for_handler(void)
{
    return (struct wish){.kind = WISH_UNTIL,
                         .deadline_ns = NO_DEADLINE,
                         .can = never,
                         .breaks = BREAKS_ALWAYS,
                         .waits = "waits for a signal"};
}

int il_pause(void)
{
    IL_ENTER();
    dpor_give_up();
    model_wait(for_handler());
    return fail(EINTR);
}

int il_sigsuspend(const sigset_t *set)
{
    IL_ENTER();
    dpor_give_up();
    model_cancel_point();
    sigset_t before = mask()->blocked;
    mask()->blocked = *set; /* from here to the wait nothing comes between */
    bool comes = false;
    for (int number = 1; number < SIGNALS; number++)
        comes |= sigismember(set, number) != 1 &&
                 (sigismember(&mask()->pending, number) == 1 || sigismember(&process()->pending, number) == 1);
    il.self->cancel.waits = !comes;
    if (comes)
        handle_pending();
    else
        il_wish_for(for_handler());
    il.self->cancel.waits = false;
    mask()->blocked = before;
    handle_pending();
    return fail(EINTR);
}

/* ---- masks ------------------------------------------------------------------------------------------------------- */

static int change_mask(int how, const sigset_t *new, sigset_t *old)
{
    struct mask *mine = mask();
    if (old)
        *old = mine->blocked;
    if (!new)
        return 0;
    if (how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK)
        return EINVAL;
    for (int number = 1; number < SIGNALS; number++) {
        bool named = sigismember(new, number) == 1 && number != SIGKILL && number != SIGSTOP;
        if (how == SIG_SETMASK ? !named : how == SIG_UNBLOCK && named)
            sigdelset(&mine->blocked, number);
        else if (named && how != SIG_UNBLOCK)
            sigaddset(&mine->blocked, number);
    }
    handle_pending();
    return 0;
}

int il_pthread_sigmask(int how, const sigset_t *new, sigset_t *old)
{
    IL_ENTER();
    return change_mask(how, new, old);
}

/* ---- the older calls of System V (X/Open), a signal at a time ------------------------------------------------------
 */

static int change_one(int how, int number)
{
    sigset_t one;
    sigemptyset(&one);
    if (sigaddset(&one, number))
        return fail(EINVAL);
    return change_mask(how, &one, NULL);
}

int il_sighold(int number)
{
    IL_ENTER();
    return change_one(SIG_BLOCK, number);
}

int il_sigrelse(int number)
{
    IL_ENTER();
    return change_one(SIG_UNBLOCK, number);
}

int il_sigignore(int number)
{
    IL_ENTER();
    return set(number, SIG_IGN) == SIG_ERR ? -1 : 0;
}

/* Returns SIG_HOLD where it was blocked, and blocks it where it is to be SIG_HOLD. */
void (*il_sigset(int number, void (*handler)(int)))(int)
{
    IL_ENTER();
    bool was_blocked = sigismember(&mask()->blocked, number) == 1;
    const struct sigaction *action = action_of(number);
    void (*before)(int) = action ? action->sa_handler : SIG_ERR;
    if (handler != SIG_HOLD)
        before = set(number, handler);
    if (before == SIG_ERR || change_one(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, number))
        return SIG_ERR;
    return was_blocked ? SIG_HOLD : before;
}

/* What <signal.h> makes of X/Open's sigpause(). */
int il___xpg_sigpause(int number)
{
    IL_ENTER();
    sigset_t others = mask()->blocked;
    if (sigdelset(&others, number))
        return fail(EINVAL);
    return il_sigsuspend(&others);
}

/* Handlers run where their thread does, on whatever stack: only remembered. */
int il_sigaltstack(const stack_t *new, stack_t *old)
{
    IL_ENTER();
    enum { SMALLEST = 2048 }; /* as the kernel's MINSIGSTKSZ */
    struct mask *mine = mask();
    stack_t before = mine->has_stack ? mine->stack : (stack_t){.ss_flags = SS_DISABLE};
    if (new &&new->ss_flags != SS_DISABLE &&new->ss_size < SMALLEST)
        return fail(ENOMEM);
    if (new) {
        mine->has_stack = new->ss_flags != SS_DISABLE;
        mine->stack = *new;
    }
    if (old)
        *old = before;
    return 0;
}

int il_sigprocmask(int how, const sigset_t *new, sigset_t *old)
{
    IL_ENTER();
    int error = change_mask(how, new, old);
    return error ? fail(error) : 0;
}

int il_sigpending(sigset_t *to)
{
    IL_ENTER();
    sigorset(to, &mask()->pending, &process()->pending);
    return 0;
}

/* ---- alarms ------------------------------------------------------------------------------------------------------ */

static struct alarm *set_alarm(void)
{
    if (model.alarm.run != il.run)
        model.alarm = (struct alarm){.run = il.run, .at_ns = NO_DEADLINE};
    return &model.alarm;
}

/* Does it reach somebody who handles it or takes it? */
static bool is_wanted(void)
{
    bool all_block = true, one_awaits = false;
    if (action_of(SIGALRM)->sa_handler != SIG_DFL)
        return action_of(SIGALRM)->sa_handler != SIG_IGN;
    for (int i = 0; i < il.n; i++) {
        if (il.threads[i].life != LIFE_RUNS)
            continue;
        one_awaits |= sigismember(&mask_of(i)->awaited, SIGALRM) == 1;
        all_block &= sigismember(&mask_of(i)->blocked, SIGALRM) == 1;
    }
    return all_block || one_awaits;
}

uint64_t model_alarm_ns(void)
{
    return is_wanted() ? set_alarm()->at_ns : NO_DEADLINE;
}

/* Whoever is current, it is nobody's doing: what was done before orders nothing. */
static void ring(struct alarm *alarm, bool in_wish)
{
    if (alarm->at_ns > il.now_ns)
        il.now_ns = alarm->at_ns;
    alarm->at_ns = alarm->every_ns ? il.now_ns + alarm->every_ns : NO_DEADLINE;
    alarm->lag_ns = 0;
    il_event(NULL, true, il.now_ns);
    int id = choose_receiver(SIGALRM);
    sigaddset(&(id < 0 ? process() : mask_of(id))->pending, SIGALRM);
    if (id < 0 || sigismember(&mask_of(id)->blocked, SIGALRM) == 1)
        return;
    if (in_wish || id != il.current) {
        il_interrupt(&il.threads[id]);
        return;
    }
    const void *pc = il.self->pc;
    handle_pending();
    il.self->pc = pc;
}

bool model_alarm_rings(void)
{
    if (model_alarm_ns() == NO_DEADLINE)
        return false;
    ring(set_alarm(), true);
    return true;
}

void model_alarm_comes_nearer(uint64_t ns, bool in_wish)
{
    struct alarm *alarm = set_alarm();
    alarm->lag_ns += ns;
    uint64_t at_ns = model_alarm_ns();
    if (at_ns != NO_DEADLINE && at_ns <= il.now_ns + alarm->lag_ns)
        ring(alarm, in_wish);
}

static struct itimerval left(void)
{
    const struct alarm *alarm = set_alarm();
    uint64_t us = alarm->at_ns == NO_DEADLINE || alarm->at_ns < il.now_ns ? 0 : (alarm->at_ns - il.now_ns) / 1000;
    return (struct itimerval){.it_value = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)},
                              .it_interval = {.tv_sec = (time_t)(alarm->every_ns / SECOND_NS),
                                              .tv_usec = (suseconds_t)(alarm->every_ns % SECOND_NS / 1000)}};
}

/* Where others run, when it comes depends on where they stand. */
static void set_from_now(uint64_t ns, uint64_t every_ns)
{
    if (ns) {
        if (il.assume.cancel_silent)
            il.assumption_broken = true;
        dpor_give_up();
        il.alarm = true;
    }
    il_event(NULL, false, il.now_ns);
    *set_alarm() = (struct alarm){.run = il.run, .at_ns = ns ? il.now_ns + ns : NO_DEADLINE, .every_ns = every_ns};
}

unsigned il_alarm(unsigned seconds)
{
    IL_ENTER();
    struct itimerval before = left();
    set_from_now(seconds * SECOND_NS, 0);
    return (unsigned)before.it_value.tv_sec + (before.it_value.tv_usec > 0);
}

static bool time_is(const struct timeval *time, uint64_t *ns)
{
    if (time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= 1000000)
        return false;
    *ns = (uint64_t)time->tv_sec * SECOND_NS + (uint64_t)time->tv_usec * 1000;
    return true;
}

int il_getitimer(__itimer_which_t which, struct itimerval *to)
{
    IL_ENTER();
    if (which != ITIMER_REAL)
        il_found(FIND_CANNOT, NULL,
                 "the program calls getitimer() for another clock than the real one, which the explorer "
                 "cannot model");
    shadow_access(to, sizeof *to, true, false);
    *to = left();
    return 0;
}

int il_setitimer(__itimer_which_t which, const struct itimerval *new, struct itimerval *old)
{
    IL_ENTER();
    uint64_t ns, every_ns;
    if (which != ITIMER_REAL)
        il_found(FIND_CANNOT, NULL,
                 "the program calls setitimer() for another clock than the real one, which the explorer "
                 "cannot model");
    shadow_access(new, sizeof *new, false, false);
    if (!time_is(&new->it_value, &ns) || !time_is(&new->it_interval, &every_ns))
        return fail(EINVAL);
    if (old) {
        shadow_access(old, sizeof *old, true, false);
        *old = left();
    }
    set_from_now(ns, every_ns);
    return 0;
}
