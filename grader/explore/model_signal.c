/* model_signal.c - signals, as far as a thread can send them to itself. See model.h.
 *
 * Dispositions belong to the process, masks to threads. A signal that a thread raises for itself is handled before the
 * call returns, as POSIX says; one that it has masked stays pending until it is let through. What comes from elsewhere
 * - another thread's pthread_kill, sigwait, a timer's signal - is not modelled and said so. alarm() is taken for the
 * watchdog that it is in most programs: it never goes off, as time that stands still in computing would have it; who
 * hangs is found anyway.
 */
#include "model.h"

#include "record.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALS = 65 };

/* Entries of another run count for nothing. */
static struct {
    uint32_t run;
    struct sigaction actions[SIGNALS];
    struct mask {
        uint32_t run;
        sigset_t blocked, pending;
    } masks[THREADS_MAX];
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

static struct mask *mask(void)
{
    struct mask *mine = &model.masks[il.current];
    if (mine->run != il.run)
        *mine = (struct mask){.run = il.run};
    return mine;
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

static void handle(int number)
{
    struct sigaction action = *action_of(number);
    if (action.sa_handler == SIG_IGN || (action.sa_handler == SIG_DFL && default_is_nothing(number)))
        return;
    if (action.sa_handler == SIG_DFL)
        il_found(FIND_CRASH, NULL, "%s raises SIG%s, which ends the program", il_name(il.current),
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
}

static void handle_pending(void)
{
    for (int number = 1; number < SIGNALS; number++) {
        struct mask *mine = mask();
        if (sigismember(&mine->pending, number) != 1 || sigismember(&mine->blocked, number) == 1)
            continue;
        sigdelset(&mine->pending, number);
        handle(number);
    }
}

static int raise_here(int number)
{
    if (number < 0 || number >= SIGNALS)
        return EINVAL;
    if (number) {
        sigaddset(&mask()->pending, number);
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

int il_pthread_kill(pthread_t handle, int number)
{
    IL_ENTER();
    const struct thread *other = model_thread_of(handle);
    if (!other)
        return ESRCH;
    if (number < 0 || number >= SIGNALS)
        return EINVAL;
    if (other == il.self)
        return raise_here(number);
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    model_check_lives(other, "sends a signal to");
    if (number != 0)
        il_found(FIND_CANNOT, NULL, "the program sends a signal to another thread, which the explorer cannot model");
    return 0;
}

int il_kill(pid_t process, int number)
{
    IL_ENTER();
    if (process != il_getpid())
        il_found(FIND_CANNOT, NULL, "the program calls kill() for another process, which the explorer cannot model");
    if (number && il.n > 1 && action_of(number) && action_of(number)->sa_handler != SIG_DFL)
        il_found(FIND_CANNOT, NULL,
                 "the program sends its process a signal that any of its threads may handle, which the explorer "
                 "cannot model");
    int error = raise_here(number);
    return error ? fail(error) : 0;
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
        bool named = sigismember(new, number) == 1;
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

int il_sigprocmask(int how, const sigset_t *new, sigset_t *old)
{
    IL_ENTER();
    int error = change_mask(how, new, old);
    return error ? fail(error) : 0;
}

int il_sigpending(sigset_t *to)
{
    IL_ENTER();
    *to = mask()->pending;
    return 0;
}

/* ---- watchdogs --------------------------------------------------------------------------------------------------- */

unsigned il_alarm(unsigned seconds)
{
    (void)seconds;
    return 0;
}
