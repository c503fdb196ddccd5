/* any_type.c - one function over an array whose type it does not know, as qsort does it. */
#include <stddef.h>
#include <stdio.h>

/* region each */
static void each(void (*call)(const void *item), const void *items, size_t item_size, size_t count)
{
    const unsigned char *bytes = items;

    for (size_t i = 0; i < count; i++)
        call(bytes + i * item_size);
}
/* end each */

/* region call */
static void show(const void *item)
{
    printf("%d\n", *(const int *)item);
}
/* end call */

int main(void)
{
    /* region use */
    const int numbers[] = {2, 3, 5};

    each(show, numbers, sizeof numbers[0], 3);
    /* end use */
    return 0;
}
