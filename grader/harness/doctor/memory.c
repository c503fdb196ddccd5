/* memory.c - one mistake at a time, for the detectors of memory: `memory freed` reads a block after free, `memory leak`
 * never frees one, `memory undefined` overflows an int, `memory unset` decides by a value that was never set, and
 * `memory clean` does the same without the mistakes.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Through a pointer that the compiler cannot see through, so that it can neither warn nor optimise the mistake away. */
static int *(*volatile allocate)(size_t count);
static void (*volatile give_back)(void *block) = free;
static volatile int one = 1;

static int *make(size_t count)
{
    return malloc(count * sizeof(int));
}

/* Returns a negative number where there is no memory. What it leaves on the stack is out of everyone's sight
 * afterwards. */
static int work(const char *mistake)
{
    int *block = allocate(10);
    int sum = INT_MAX - 1 + one;

    if (block == NULL)
        return -1;
    if (strcmp(mistake, "unset") != 0)
        memset(block, 0, 10 * sizeof(int));
    if (block[3] == 7) // NOLINT: not set, where that is the mistake
        puts("seven");
    if (strcmp(mistake, "undefined") == 0)
        sum += one;
    if (strcmp(mistake, "leak") != 0)
        give_back(block);
    if (strcmp(mistake, "freed") == 0)
        sum = block[one];
    return sum; // NOLINT: leaked, where that is the mistake
}

int main(int argc, char **argv)
{
    allocate = make;
    int sum = work(argc > 1 ? argv[1] : "clean");
    return printf("sum %d\n", sum) < 0;
}
