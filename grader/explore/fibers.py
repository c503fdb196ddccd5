# fibers.py - for gdb: the threads of a program that runs under interleave (interleave --replay TOKEN --gdb FILE.c…).
#
# They are fibers, all in one thread of the operating system, so `info threads` shows one. Who does not run has left its
# registers on its own stack (fiber_x86_64.S, fiber_aarch64.S); to look at it, they are put into gdb's and put back
# afterwards, so that going on is as if nobody had looked.
#
#   fibers            all of them, each with its backtrace
#   fiber N           the backtrace of thread N
#   fiber N COMMAND   COMMAND as if thread N were running (info locals, frame apply 2 print *q, …)

import gdb

LIFE_RUNS = 1
PLACES = {  # offsets from where a fiber stands; the stack pointer of its caller is at "size"
    "x86-64": ({"r15": 0, "r14": 8, "r13": 16, "r12": 24, "rbx": 32, "rbp": 40, "pc": 48}, "rsp", 56),
    "aarch64": ({"x19": 0, "x20": 8, "x21": 16, "x22": 24, "x23": 32, "x24": 40, "x25": 48, "x26": 56,
                 "x27": 64, "x28": 72, "x29": 80, "x30": 88, "pc": 88}, "sp", 160),
}


def machine():
    name = gdb.selected_inferior().architecture().name()
    return PLACES["aarch64" if "aarch64" in name else "x86-64"]


def number_of(value):
    return int(gdb.parse_and_eval("(unsigned long long)(%s)" % value))


def word_at(address):
    return int(gdb.parse_and_eval("*(unsigned long long *)%d" % address))


def second_argument():
    return "x1" if machine()[1] == "sp" else "rsi"


class Context:
    """The registers of fiber `i` while it lasts; those of the one that runs are what they are."""

    def __init__(self, i):
        self.i = i
        self.kept = {}

    def __enter__(self):
        gdb.execute("frame 0", to_string=True)
        if self.i == number_of("il.current"):
            return
        offsets, stack, size = machine()
        place = number_of("il.threads[%d].place" % self.i)
        values = {name: word_at(place + at) for name, at in offsets.items()}
        values[stack] = place + size
        self.kept = {name: number_of("$" + name) for name in values}
        self.put(values)

    def put(self, values):
        for name, value in values.items():
            gdb.execute("set $%s = %d" % (name, value), to_string=True)

    def __exit__(self, *_):
        gdb.execute("frame 0", to_string=True)
        self.put(self.kept)
        gdb.execute("frame 0", to_string=True)


def heading(i):
    thread = gdb.parse_and_eval("il.threads[%d]" % i)
    if i == 0:
        body = "main"
    else:
        start = thread["body"] if int(thread["body"]) else thread["body_int"]
        body = str(start).split("<")[-1].rstrip(">")
    here = ", which runs" if i == number_of("il.current") else ""
    return "thread %d (%s)%s" % (i + 1, body, here)


def show(i, command):
    if int(gdb.parse_and_eval("il.threads[%d].life" % i)) != LIFE_RUNS:
        print(heading(i) + " has ended")
        return
    print(heading(i))
    with Context(i):
        gdb.execute(command)


class Fibers(gdb.Command):
    """All threads of the program under interleave, each with its backtrace."""

    def __init__(self):
        super().__init__("fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for i in range(number_of("il.n")):
            show(i, "backtrace")


class Fiber(gdb.Command):
    """fiber N [COMMAND]: the backtrace of thread N, or COMMAND as if it were running."""

    def __init__(self):
        super().__init__("fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split(None, 1)
        if not words or not words[0].isdigit() or not 1 <= int(words[0]) <= number_of("il.n"):
            raise gdb.GdbError("fiber N [COMMAND]: N is from 1 to %d" % number_of("il.n"))
        show(int(words[0]) - 1, words[1] if len(words) > 1 else "backtrace")


Fibers()
Fiber()
gdb.execute("set pagination off")
gdb.execute("set breakpoint pending on")
gdb.execute("set python print-stack message")
gdb.execute("handle SIGVTALRM nostop noprint pass", to_string=True)
# The run ends where a fiber goes back to where all of them came from (engine.c: leave).
gdb.execute("break fiber_switch if (void *)$%s == il.root_place && il.root_place != 0" % second_argument(), to_string=True)
print("run        goes to the end of the interleaving (or to a breakpoint of yours: break FILE.c:LINE)")
print("fibers     all threads with their backtraces")
print("fiber N    that of thread N; fiber N COMMAND does COMMAND there")
