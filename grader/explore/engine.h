/* engine.h - one run of the program under test, with every scheduling decision ours.
 *
 * Theory of operation. The program's threads are fibers (fiber.h) of one thread of the operating system. Each call of
 * pthreads, each atomic operation and each memory access of the program arrives in a function il_NAME or __tsan_NAME.
 * A *visible* operation announces what it wants (il_wish) before it does it; the scheduler then picks one of the
 * threads whose wish can be granted. Where there is more than one, the search (search.h) decides. Runs follow each
 * other in one process: the program's data, its heap and all of this start afresh, stamped with the run's number, so
 * that nothing needs clearing.
 *
 * A vector clock goes with each thread and each object: happens-before as C and POSIX define it, which feeds the race
 * detector (shadow.h). What has been run so far up to swaps of independent operations is named by a hash: each
 * operation's name is a hash of the names of the operations that it depends on directly (the one before in its
 * thread; those before on the same object, whether they synchronise or not), as in a Merkle tree, and the run's is the
 * sum of all.
 *
 * Operations that need no scheduling point of their own (Lipton 1975, left-movers: whatever another thread can do just
 * before them could as well be done after): unlock, where nothing in the program tries a lock or waits for one with a
 * limit; signal and broadcast, where every waiter's mutex is held; create, exit of a thread; a join that can be granted
 * and the first steps of a thread commute with everything and are taken at once. The two conditional ones are assumed
 * until a run contradicts them (engine.assume), and then the search begins again without.
 *
 * One `struct engine il` is shared by all of this: the compiler's instrumentation passes no context. Everything here
 * runs in one thread of the operating system; no call blocks.
 */
#ifndef EXPLORE_ENGINE_H
#define EXPLORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    THREADS_MAX = 250, /* created in one run; no more than eight bits fit an epoch and a choice */
    THREADS_WORDS = (THREADS_MAX + 63) / 64,
    FAIR_STEPS = 200,  /* of one thread on end, after which the others go first (as if it had yielded) */
    LATE_STEPS = 2000, /* of the others, after which time passes for who sleeps, though they could go on */
    PATIENCE = 500,    /* times the limit of steps, in which a program that ends should have ended… */
    IMPATIENCE = 50,   /* …and the same where it was told already that it does not: what comes are replays */
    CHOICES_MAX = 20000,
    KEYS_MAX = 1024,
    LOOKS_MAX = 4,
    LOOKS_FREE = 2, /* the same looks at what nobody has changed meanwhile, before a thread is held to spin */
    HELD_MAX = 16,  /* locks of one thread that the trace shows; it may hold more */
    CANDIDATES_MAX = 2 * THREADS_MAX + 2,
};

/* A vector clock; entries from `n` on are zero. */
struct clock {
    uint32_t n;
    uint32_t at[THREADS_MAX];
};

enum sync_kind {
    SYNC_NEW, /* never used in this run */
    SYNC_MUTEX,
    SYNC_COND,
    SYNC_RWLOCK,
    SYNC_SEMAPHORE,
    SYNC_BARRIER,
    SYNC_SPIN,
    SYNC_ONCE,
    SYNC_ATOMIC,
    SYNC_GATE,
    SYNC_DESTROYED,
};

/* Steps of the run that touched an object, for the reduction (dpor.h: frames; 0 is none). */
struct dpor_mark {
    uint32_t write; /* the last that changed it */
    uint32_t taken; /* the last that took it: a lock, one of a semaphore */
    uint32_t reads; /* those that looked at it since `write` */
    bool released;  /* `write` left it free */
};

/* What the engine knows of one object of the program that threads meet at. Good for one run. */
struct sync {
    void *address;
    uint32_t run; /* the run that it belongs to */
    enum sync_kind kind;
    int owner;         /* thread that holds it (for writing), or -1 */
    unsigned depth;    /* of a recursive mutex */
    unsigned readers;  /* of a read-write lock */
    int type;          /* of a mutex: PTHREAD_MUTEX_…; of a condition variable: the clock of its limits */
    bool robust;       /* a mutex that outlives its owner */
    bool owner_died;   /* …and did */
    bool lost;         /* …and was unlocked without pthread_mutex_consistent */
    uint32_t taken_at; /* of a mutex: its owner's count of wishes then */
    unsigned waiters;  /* threads that sleep on a condition variable, or have arrived at a barrier */
    unsigned size;     /* of a barrier */
    uint64_t value;    /* of a semaphore; the round of a barrier */
    void *mutex;       /* the one that a condition variable's waiters gave up */
    void *assumed;     /* the one that they are thought to give up: a signal had no point of its own (assume) */
    uint64_t order;    /* the last operation that changed it (il_event) */
    uint64_t reads;    /* the sum of the operations since that only looked */
    struct dpor_mark dpor;
    /* from here on, each says itself how much of it counts */
    unsigned shared[THREADS_MAX]; /* read locks by thread; valid below shared_n */
    uint32_t shared_n;
    struct clock sync;        /* released here */
    struct clock sync_shared; /* …by readers, which is nothing to other readers; empty where there are none */
};

enum wish_kind {
    WISH_GO, /* can always be granted */
    WISH_LOCK,
    WISH_READ_LOCK,
    WISH_WRITE_LOCK,
    WISH_SEMAPHORE,
    WISH_JOIN,
    WISH_COND,    /* to be signalled */
    WISH_BARRIER, /* the others to arrive */
    WISH_ONCE,
    WISH_GATE,
    WISH_SLEEP, /* the deadline only */
    WISH_WRITE, /* anybody to change something: what a loop that spins is made to wait for */
    WISH_UNTIL, /* `can` to say yes */
};

#define NO_DEADLINE UINT64_MAX

/* May a signal that is handled end the wait? (EINTR.) */
enum breaks { BREAKS_NEVER, BREAKS_WITHOUT_RESTART, BREAKS_ALWAYS };

struct wish {
    enum wish_kind kind;
    struct sync *on;      /* not for go, join, sleep and write */
    uint64_t whom;        /* join: the thread; write: the count of writes seen; barrier: the round */
    uint64_t deadline_ns; /* of virtual time, or NO_DEADLINE */
    /* until: changes nothing, and depends on nothing but `on`, `whom` and what operations on objects have done */
    bool (*can)(const struct wish *wish);
    enum breaks breaks;
    const char *waits; /* …and in words: "waits for a pipe that is empty" (a literal) */
};

enum life { LIFE_NONE, LIFE_RUNS, LIFE_ENDED };

struct cleanup; /* a pushed cleanup handler (model_cancel.c) */

/* What pthread_cancel and its like have made of a thread (model_cancel.c). */
struct cancel {
    bool disabled, async; /* pthread_setcancelstate, pthread_setcanceltype */
    bool pending;         /* asked to end */
    bool waits;           /* in a wait that may be cut off */
    bool cut;             /* taken out of a wait on a condition variable: has still to lock again */
    bool ending;          /* on its way out: asking again changes nothing */
    bool doomed;          /* goes on only to end: looked at after every wish */
};

struct thread {
    _Alignas(64) void *place; /* where it stands, while it does not run */
    void *stack_top;          /* the end of its stack */
    enum life life;
    bool detached, joined;
    bool yielded;     /* let others go first */
    bool timed_out;   /* its last wish was ended by the clock */
    bool spurious;    /* its last wait was ended by nobody */
    bool interrupted; /* …by a signal */
    bool signalled;   /* goes next to handle a signal; `suspended` is what it wished before */
    int starter;      /* the thread to go back to at its first wish, or -1 */
    struct wish wish; /* what it waits for or is about to do; up to here a cache line: every decision reads it of all */
    struct wish suspended;
    uint32_t epoch; /* its number << 24 | its own entry of `sync` */
    int error;      /* its errno while it does not run */
    const void *pc; /* the call that it is in, or the last access */
    const void *wish_pc;
    void *(*body)(void *);
    int (*body_int)(void *); /* of thrd_create */
    void *argument;
    void *result;
    int result_int;
    struct sync *retakes;  /* the mutex to take again, while it waits on a condition variable */
    struct sync *waits_on; /* that condition variable */
    struct cleanup *cleanups;
    struct cancel cancel;
    void *tls;                         /* its thread-local variables, or NULL until first used */
    uint32_t values_n;                 /* of `values`, below */
    uint64_t yields;                   /* order of the last yield */
    uint64_t overtaken[THREADS_WORDS]; /* bits: those whom it went before though it had yielded, since they last went */
    unsigned held_n;                   /* of `held`, below */
    unsigned looks_n;                  /* of `looks`, below */
    unsigned clock_looks;              /* at clocks, since anything was changed: a loop that waits for a time */
    uint64_t clock_writes;             /* as of the last of them */
    uint32_t wishes;                   /* so many visible operations */
    unsigned wished_at;                /* il.steps at the last of them */
    uint32_t quiet_accesses;           /* plain ones since its last visible operation */
    uint64_t order;                    /* its last operation (il_event) */
    /* from here on, what was said above how much of it counts, and clocks, which say it themselves */
    struct clock sync;
    struct sync *held[HELD_MAX]; /* locks, the last taken last */
    struct look {
        const void *pc, *address;
        uint64_t value, writes;
        unsigned times;
    } looks[LOOKS_MAX]; /* at what others may change, since it last changed anything itself: how loops that spin show */
    struct clock fence_out;       /* what a release fence has made ready for the next atomic store */
    struct clock fence_in;        /* what relaxed loads have seen, for the next acquire fence */
    const void *values[KEYS_MAX]; /* of pthread_setspecific */
};

enum outcome { RUN_ENDED, RUN_PRUNED, RUN_FOUND };

enum finding_kind {
    FIND_NOTHING,
    FIND_RACE,
    FIND_DEADLOCK,
    FIND_LOST_WAKEUP,
    FIND_ASSERTION,
    FIND_CRASH,
    FIND_EXIT,
    FIND_MISUSE,
    FIND_LEAK,
    FIND_HEAP,
    FIND_STACK,
    FIND_LIVELOCK,
    FIND_ENDLESS,
    FIND_CANNOT, /* not the program's fault: we cannot do it (exit status 2) */
};

struct finding {
    enum finding_kind kind;
    int thread;           /* who was at it */
    const void *pc;       /* where */
    const void *address;  /* of what, or NULL */
    size_t size;          /* race: bytes of the access */
    bool is_write;        /* race */
    int other;            /* race: the other thread; -1 where there is none */
    uint32_t other_clock; /* race: when the other did it */
    bool other_write;
    char text[640]; /* one sentence */
};

/* What the absence of scheduling points rests on; see above. */
struct assumptions {
    bool unlock_silent;
    bool signal_silent;
    bool cancel_silent; /* nobody cancels another, or sends it a signal: points where that could be seen need none */
};

/* Decisions at points where more than one thing can happen, in order. */
struct choices {
    unsigned n;
    uint8_t at[CHOICES_MAX];
};

struct engine {
    /* set up once */
    int (*program_main)(int, char **, char **);
    int argc;
    char **argv, **environment;
    unsigned steps_max;
    bool spurious, faults; /* asked for */
    bool sleeps_order;     /* asked for: time passes only where every thread waits, and whoever it wakes sees it all */
    bool races_allowed;    /* asked for: they are no finding */
    bool leaks_allowed;    /* asked for: what is left at the end is no finding */
    unsigned bound;        /* no candidates dearer than this are worth asking about */
    struct assumptions assume;
    bool assumption_broken; /* in this search */

    /* of the run */
    uint32_t run;
    int n, current;
    struct thread *self;
    bool inside;       /* the program runs, not the explorer */
    unsigned switches; /* from thread to thread so far */
    bool free_switch;  /* the next switch costs nothing: the current thread was not chosen */
    uint64_t now_ns;
    uint64_t writes; /* operations that changed something */
    uint64_t yields;
    uint64_t hash; /* of the partial order so far */
    unsigned steps;
    unsigned streak;  /* steps since another thread went */
    unsigned late_at; /* the step at which those who sleep were last looked after */
    unsigned cost;    /* preemptions and other dear choices so far */
    unsigned silent_spins;
    unsigned random_state; /* of rand() */
    uint64_t random48;     /* of drand48() */
    uint64_t random_bytes; /* of getrandom() */
    struct choices choices;
    enum outcome outcome;
    int status; /* of exit */
    struct finding finding;
    bool recording;   /* rows for a trace are wanted (record.h) */
    bool overtaking;  /* somebody has overtaken another */
    bool patient;     /* it is long: no more decisions, only fair turns, until it ends or plainly never does */
    bool fair_only;   /* in this search: a thread that polls was not let before another once more */
    bool dropped;     /* …and a choice was left out that was dearer than the bound */
    bool alarm;       /* one was set */
    bool held;        /* in this search: a thread that spins was made to wait for a change */
    bool is_endless;  /* this program was told that it does not end */
    bool may_be_long; /* a run of too many steps goes its fair way beyond them; else there is no verdict of it */
    bool was_long;    /* in this search: one did */
    bool reducing;    /* the search is dpor.h's, which wants to hear of events and steps */

    void *root_place;
    struct thread threads[THREADS_MAX];
};

extern struct engine il;

/* Once: stacks, heap and tables. 0, or -1 where there is no memory (errno). */
int engine_open(void);

/* One run from the beginning to its end, a finding, or where the search cuts it. Never blocks longer than the program
 * computes. Fills il.outcome, il.finding, il.choices, il.cost. */
void engine_run(void);

/* Tries again with all assumptions (see above) as they were at the start of a program. */
void engine_assume_all(void);

/* For the model: from the program's side, inside a run. */

/* What the engine knows of the object at `address`; new with SYNC_NEW where this run has not seen it. */
struct sync *il_sync(const void *address);
struct sync *il_sync_find(const void *address); /* the same, or NULL where it has not seen it */

/* Announces a visible operation and returns once it may be done: true, or false where the deadline came first. */
bool il_wish(enum wish_kind kind, struct sync *on, uint64_t deadline_ns);
bool il_wish_for(struct wish wish);

/* Takes an operation into the partial order: it changes `on`, or only looks at it (is_write false). `on` may be NULL.
 * `salt` tells apart what happened where that is not decided by the order (a choice among waiters, a timeout). */
void il_event(struct sync *on, bool is_write, uint64_t salt);

void il_release_to_all(void);           /* what came happens before whatever the others do from here on */
void il_order(struct thread *other);    /* what the current thread did comes before what `other` does next */
void il_acquire(const struct sync *on); /* sync clocks: what was released there happens before what comes */
void il_release(struct sync *on);       /* what came happens before whoever acquires */
void il_release_only(struct sync *on);  /* the same, forgetting what others released before */
void il_tick(void);                     /* what the current thread does next is not what it has done */
void clock_join(struct clock *to, const struct clock *from);
void clock_copy(struct clock *to, const struct clock *from);

/* The visible operation of a look at an atomic variable or a lock that may be in use: waits for somebody to write where
 * the same look has been taken before and nobody has written since. Then note what was seen. */
void il_wish_look(const void *address);
void il_looked(const void *address, uint64_t value);

/* A decision that is not about threads: 0 … count - 1. All cost nothing, or all but the first cost one (is_dear). */
unsigned il_choice(unsigned count, bool is_dear);

/* A signal for another thread: its next turn is for model_signals_arrive, whatever it waits for. */
void il_interrupt(struct thread *other);

/* A new thread (its number), its first steps up to its first wish, and its end. */
int il_spawn(void *(*body)(void *), int (*body_int)(void *), void *argument, bool detached);
void il_start(int thread);
void il_stack(int thread, void *top); /* before its first step: its stack is the program's own, and ends there */
_Noreturn void il_thread_end(void);

/* Gives the processor away: others first. */
void il_yield(void);

/* The program is about to end, whatever others still do: their turn, if there are any. */
void il_before_end(void);

/* Ends the run: with exit(status), or with a finding (printf's format). */
_Noreturn void il_end(int status);
_Noreturn void il_found(enum finding_kind kind, const void *address, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the model does when a run begins, main returns, and a thread ends (model_thread.c). */
void model_reset(void);
void model_main_returned(int status);
void model_thread_ends(void);
/* A signalled thread's turn (model_signal.c): true where all that it handled would have calls begin again. */
bool model_signals_arrive(void);
/* Where il.alarm (model_signal.c): when it rings, or NO_DEADLINE; rings it, in a wish, false where it does not; and
 * makes it ring where so much time would have brought it, in a wish or not. */
uint64_t model_alarm_ns(void);
bool model_alarm_rings(void);
void model_alarm_comes_nearer(uint64_t ns, bool in_wish);
_Noreturn void model_cancelled(void); /* a doomed thread goes on (model_cancel.c) */

/* The thread's name in words: "thread 2". In a ring of four buffers. */
const char *il_name(int thread);

static inline void il_enter(const void *pc)
{
    il.self->pc = pc;
}
#define IL_ENTER() il_enter(__builtin_return_address(0))

#endif
