/* hang.c - reads what the threads wait for. What that means is said in hang_words.c. */
#include "hang.h"

#include "files.h"
#include "memory.h"
#include "places.h"
#include "process.h"
#include "source.h"
#include "stillness.h"

#include <ctype.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { THREADS_MAX = 256 };

/* A call that waits: under which names it stands on a stack or in a source line, and what it waits for. */
struct waiting_call {
    const char *name;
    enum wait_kind kind;
};

static const struct waiting_call waiting_calls[] = {
    {"pthread_mutex_lock", WAIT_MUTEX},
    {"pthread_mutex_timedlock", WAIT_MUTEX},
    {"pthread_mutex_clocklock", WAIT_MUTEX},
    {"pthread_cond_wait", WAIT_CONDITION},
    {"pthread_cond_timedwait", WAIT_CONDITION},
    {"pthread_cond_clockwait", WAIT_CONDITION},
    {"pthread_join", WAIT_JOIN},
    {"runner_join", WAIT_JOIN},
    {"scenario_join", WAIT_JOIN},
    {"sem_wait", WAIT_SEMAPHORE},
    {"sem_timedwait", WAIT_SEMAPHORE},
    {"pthread_barrier_wait", WAIT_BARRIER},
    {"gate_pass", WAIT_GATE},
    {"crew_meet", WAIT_GATE},
    {"clock_nanosleep", WAIT_TIME},
    {"nanosleep", WAIT_TIME},
    {"usleep", WAIT_TIME},
    {"sleep", WAIT_TIME},
};

static const struct waiting_call *call_of_name(const char *name)
{
    if (name == NULL)
        return NULL;
    if (strncmp(name, "wrap_", 5) == 0)
        name += 5;
    while (*name == '_')
        name++;
    for (size_t i = 0; i < sizeof waiting_calls / sizeof waiting_calls[0]; i++)
        if (strcmp(waiting_calls[i].name, name) == 0)
            return &waiting_calls[i];
    return NULL;
}

/* ---- what stands in the source line ------------------------------------------------------------------------------ */

/* Where `name(` begins in the line as a whole word; NULL where it does not. */
static const char *find_call(const char *line, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strstr(line, name); at != NULL; at = strstr(at + 1, name)) {
        bool begins = at == line || (!isalnum((unsigned char)at[-1]) && at[-1] != '_');
        if (begins && at[length] == '(')
            return at + length + 1;
    }
    return NULL;
}

/* The first argument, up to its comma or the closing bracket; NULL where the line ends before. */
static const char *first_argument(void *context, const char *arguments)
{
    int depth = 0;

    for (const char *at = arguments; *at != '\0'; at++) {
        if (depth == 0 && (*at == ',' || *at == ')'))
            return memory_text_n(context, arguments, (size_t)(at - arguments));
        depth += *at == '(' || *at == '[';
        depth -= *at == ')' || *at == ']';
    }
    return NULL;
}

/* Learns from the line that is shown: which call it makes, where the stack could not tell, and on what. */
static void read_line(void *context, const struct workshop *shop, struct hang_thread *thread)
{
    const struct frame *frame = thread->shown;
    const char *path = frame == NULL ? NULL : places_path(context, shop, frame->file);
    const char *line = path == NULL ? NULL : source_line(context, path, frame->line);

    if (line == NULL)
        return;
    for (size_t i = 0; i < sizeof waiting_calls / sizeof waiting_calls[0]; i++) {
        const struct waiting_call *call = &waiting_calls[i];
        const char *arguments = find_call(line, call->name);
        if (arguments == NULL || (thread->call != NULL && strcmp(call->name, thread->call) != 0))
            continue;
        if (thread->call == NULL) {
            thread->call = call->name;
            thread->wait = call->kind;
        }
        thread->object = first_argument(context, arguments);
        return;
    }
}

/* ---- what the kernel and the mutex say --------------------------------------------------------------------------- */

/* What a thread slept in before anybody touched it. */
struct sleep {
    pid_t tid;
    bool asleep;
    struct sleeping_call call;
};

struct sleeps {
    struct sleep *list;
    size_t count;
};

static const struct sleep *sleep_of(const struct sleeps *sleeps, pid_t tid)
{
    for (size_t i = 0; i < sleeps->count; i++)
        if (sleeps->list[i].tid == tid)
            return &sleeps->list[i];
    return NULL;
}

/* glibc's mutex begins with these three. */
struct mutex_head {
    int lock;
    unsigned int count;
    int owner;
};

/* The thread that owns the mutex at `address`; 0: nobody; -1: cannot be read. */
static pid_t mutex_owner(pid_t pid, uint64_t address)
{
    struct mutex_head head;
    struct iovec to = {&head, sizeof head};
    struct iovec from = {(void *)(uintptr_t)address, sizeof head}; /* NOLINT(performance-no-int-to-ptr): another's */

    return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)sizeof head ? head.owner : -1;
}

/* A mutex sleeps in a plain FUTEX_WAIT, a condition in FUTEX_WAIT_BITSET: how to tell a thread that waits for its
 * wake-up from one that was woken and waits for its mutex. (pthread_mutex_timedlock uses FUTEX_WAIT_BITSET too.) */
static bool sleeps_for_mutex(const struct hang_thread *thread, const struct sleeping_call *call)
{
    if (thread->wait == WAIT_CONDITION)
        return ((int)call->arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT;
    return thread->wait == WAIT_MUTEX;
}

static void read_sleep(struct hang_thread *thread, const struct sleep *sleep)
{
    if (sleep == NULL || !sleep->asleep) {
        thread->wait = WAIT_NOTHING;
        return;
    }
    const struct sleeping_call *call = &sleep->call;
    bool futex = call->number == SYS_futex || call->number == SYS_restart_syscall;
    if (futex && sleeps_for_mutex(thread, call)) {
        thread->wait = WAIT_MUTEX;
        thread->address = call->arguments[0];
        thread->wants_tid = mutex_owner(thread->pid, thread->address);
    } else if (futex && thread->wait == WAIT_JOIN) {
        thread->wants_tid = (pid_t)call->arguments[2]; /* pthread_join sleeps until its thread's id is cleared */
    } else if (thread->wait == WAIT_NOTHING) {
        thread->wait = call->endless ? WAIT_CALL : WAIT_TIME;
    }
}

/* ---- one thread, all threads ------------------------------------------------------------------------------------- */

/* The call that a stack shows: the outermost of the waiting calls below the frame that is shown. */
static void read_stack(struct hang_thread *thread)
{
    for (size_t i = 0; i < thread->trace.count; i++) {
        const struct frame *frame = &thread->trace.frames[i];
        if (frame == thread->shown)
            break;
        const struct waiting_call *call = call_of_name(frame->function);
        if (call != NULL) {
            thread->call = call->name;
            thread->wait = call->kind;
        }
    }
}

static void read_thread(void *context, const struct workshop *shop, struct hang_thread *thread,
                        const struct sleeps *sleeps)
{
    thread->shown = places_frame(shop, &thread->trace);
    enum owner owner = thread->shown == NULL ? OWNER_NOBODY : places_owner(shop, thread->shown->file);
    thread->in_student = owner == OWNER_STUDENT || owner == OWNER_NEEDED;
    read_stack(thread);
    read_line(context, shop, thread);
    read_sleep(thread, sleep_of(sleeps, thread->tid));
}

static bool is_harness(const pid_t *harness, size_t count, pid_t tid)
{
    for (size_t i = 0; i < count; i++)
        if (harness[i] == tid)
            return true;
    return false;
}

/* What the threads of a process sleep in. This comes before the stacks: libdw stops and starts every thread, and one
 * that was started again may be seen on its way back to sleep. */
static void read_sleeps(void *context, pid_t pid, struct sleeps *sleeps)
{
    struct pid_list threads = {0};

    process_threads(context, pid, &threads);
    sleeps->list = memory_grown(context, sleeps->list, sleeps->count + threads.count + 1, sizeof *sleeps->list);
    for (size_t i = 0; i < threads.count; i++) {
        struct sleep *sleep = &sleeps->list[sleeps->count++];
        sleep->tid = threads.pids[i];
        sleep->asleep = stillness_call(pid, sleep->tid, &sleep->call);
    }
}

static void add_threads(struct hang *hang, pid_t pid, const struct stacks *stacks, const pid_t *harness, size_t count)
{
    for (size_t i = 0; i < stacks->count && hang->count < THREADS_MAX; i++) {
        if (is_harness(harness, count, stacks->threads[i].tid))
            continue;
        struct hang_thread *thread = &hang->threads[hang->count];
        *thread = (struct hang_thread){.number = (int)++hang->count,
                                       .pid = pid,
                                       .tid = stacks->threads[i].tid,
                                       .trace = stacks->threads[i].trace,
                                       .wants_tid = -1};
    }
}

/* Names for the mutexes: the expression in the source where there is one mutex, letters where there are several. */
static void name_locks(void *context, struct hang *hang)
{
    uint64_t addresses[26];
    size_t count = 0;

    for (size_t i = 0; i < hang->count; i++) {
        const struct hang_thread *thread = &hang->threads[i];
        bool known = thread->wait != WAIT_MUTEX || thread->address == 0;
        for (size_t j = 0; j < count; j++)
            known = known || addresses[j] == thread->address;
        if (!known && count < 26)
            addresses[count++] = thread->address;
    }
    for (size_t i = 0; i < hang->count; i++) {
        struct hang_thread *thread = &hang->threads[i];
        if (thread->wait != WAIT_MUTEX)
            continue;
        if (count <= 1)
            thread->name = thread->object != NULL ? memory_format(context, "`%s`", thread->object) : "the mutex";
        for (size_t j = 0; count > 1 && j < count; j++)
            if (addresses[j] == thread->address)
                thread->name = memory_format(context, "lock %c", (char)('A' + j));
    }
}

int hang_read(void *context, const struct workshop *shop, pid_t pid, const pid_t *harness, size_t harness_count,
              struct hang *hang, struct fault *fault)
{
    struct pid_list tree = {0};
    struct sleeps sleeps = {0};
    int read = -1;

    *hang = (struct hang){.threads = memory_zeroed(context, THREADS_MAX, sizeof *hang->threads)};
    process_tree(context, pid, &tree);
    for (size_t i = 0; i < tree.count; i++)
        read_sleeps(context, tree.pids[i], &sleeps);
    for (size_t i = 0; i < tree.count; i++) {
        struct stacks stacks;
        struct fault why;
        if (stacks_read(context, tree.pids[i], &stacks, &why) == 0) {
            add_threads(hang, tree.pids[i], &stacks, harness, harness_count);
            read = 0;
        } else if (i == 0) {
            *fault = why;
        }
    }
    for (size_t i = 0; i < hang->count; i++)
        read_thread(context, shop, &hang->threads[i], &sleeps);
    name_locks(context, hang);
    return read;
}
