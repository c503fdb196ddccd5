/* primes_python.c - the same four ways, in Python: a small list, and lists whose numbers are harder.
 *
 * The program runs python3 with the script below, which prints the rows; where there is none it ends with 77.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT = 77 };

static const char script[] =
    "import queue, statistics, threading, time\n"
    "from concurrent.futures import ThreadPoolExecutor\n"
    "def is_prime(n):\n"
    "    if n < 4: return n >= 2\n"
    "    if n % 2 == 0: return False\n"
    "    d = 3\n"
    "    while d * d <= n:\n"
    "        if n % d == 0: return False\n"
    "        d += 2\n"
    "    return True\n"
    "def in_turn(numbers):\n"
    "    return [n for n in numbers if is_prime(n)]\n"
    "def thread_each(numbers):\n"
    "    found = [False] * len(numbers)\n"
    "    def check(i): found[i] = is_prime(numbers[i])\n"
    "    threads = [threading.Thread(target=check, args=(i,)) for i in range(len(numbers))]\n"
    "    for t in threads: t.start()\n"
    "    for t in threads: t.join()\n"
    "    return [n for n, f in zip(numbers, found) if f]\n"
    "def workers(numbers):\n"
    "    found, lock, q = [], threading.Lock(), queue.Queue()\n"
    "    for i, n in enumerate(numbers): q.put((i, n))\n"
    "    def work():\n"
    "        while True:\n"
    "            try: i, n = q.get_nowait()\n"
    "            except queue.Empty: return\n"
    "            if is_prime(n):\n"
    "                with lock: found.append((i, n))\n"
    "    threads = [threading.Thread(target=work) for _ in range(4)]\n"
    "    for t in threads: t.start()\n"
    "    for t in threads: t.join()\n"
    "    return [n for _, n in sorted(found)]\n"
    "def executor(numbers):\n"
    "    with ThreadPoolExecutor(4) as pool:\n"
    "        return [n for n, f in zip(numbers, pool.map(is_prime, numbers)) if f]\n"
    "def primes(first, count):\n"
    "    numbers, n = [], first\n"
    "    while len(numbers) < count:\n"
    "        if is_prime(n): numbers.append(n)\n"
    "        n += 1\n"
    "    return numbers\n"
    "print('numbers', 'in_turn_ms', 'thread_each_ms', 'workers_ms', 'executor_ms', sep='\\t')\n"
    "ways = in_turn, thread_each, workers, executor\n"
    "for digits, first, count in (3, 500, 50), (6, 500_000, 50), (8, 50_000_000, 50), (8, 50_000_000, 200):\n"
    "    numbers = primes(first, count)\n"
    "    times = {way: [] for way in ways}\n"
    "    for _ in range(7):\n"
    "        for way in ways:\n"
    "            begin = time.perf_counter()\n"
    "            assert way(numbers) == numbers\n"
    "            times[way].append((time.perf_counter() - begin) * 1000)\n"
    "    print(f'{count} of {digits} digits', *(f'{statistics.median(times[w]):.3f}' for w in ways), sep='\\t')\n";

int main(void)
{
    int status;
    pid_t child = fork();

    if (child < 0)
        return 1;
    if (child == 0) {
        execlp("python3", "python3", "-c", script, (char *)NULL);
        _exit(CANNOT);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return 1;
    return WEXITSTATUS(status);
}
