/* table.c - a struct of functions: what a method to be overridden is in C. */
#include <stdio.h>

/* region table */
/* What every kind of counter can do. `self` is what that kind needs to know. */
struct counter_kind {
    void (*add)(void *self, int amount);
    int (*value)(void *self);
};

struct counter {
    const struct counter_kind *kind;
    void *self;
};
/* end table */

/* region sum */
static void sum_add(void *self, int amount)
{
    int *sum = self;

    *sum += amount;
}

static int sum_value(void *self)
{
    return *(int *)self;
}

static const struct counter_kind sum_kind = {sum_add, sum_value};
/* end sum */

static void largest_add(void *self, int amount)
{
    int *largest = self;

    *largest = amount > *largest ? amount : *largest;
}

static const struct counter_kind largest_kind = {largest_add, sum_value};

/* region use */
/* Knows nothing of the kind. */
static void count_all(struct counter *counter, const int *amounts, int count)
{
    for (int i = 0; i < count; i++)
        counter->kind->add(counter->self, amounts[i]);
}
/* end use */

int main(void)
{
    static const int amounts[] = {3, 9, 4};
    int sum = 0, largest = 0;
    struct counter counters[] = {{&sum_kind, &sum}, {&largest_kind, &largest}};

    for (int i = 0; i < 2; i++) {
        count_all(&counters[i], amounts, 3);
        printf("%d\n", counters[i].kind->value(counters[i].self));
    }
    return 0;
}
