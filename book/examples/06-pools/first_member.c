/* first_member.c - a struct within a larger one: who is given the inner one finds the outer one. */
#include <stdio.h>

/* region inner */
/* What a clock knows of those whom it wakes. */
struct sleeper {
    void (*wake)(struct sleeper *sleeper);
};
/* end inner */

/* region outer */
/* Ours: more than the clock knows. */
struct cook {
    struct sleeper sleeper; /* the first member: its address is the cook's */
    const char *name;
};

static void wake_cook(struct sleeper *sleeper)
{
    struct cook *cook = (struct cook *)sleeper;

    printf("%s gets up\n", cook->name);
}
/* end outer */

static void ring(struct sleeper *sleeper)
{
    sleeper->wake(sleeper);
}

int main(void)
{
    /* region use */
    struct cook cook = {.sleeper = {.wake = wake_cook}, .name = "Anna"};

    ring(&cook.sleeper);
    /* end use */
    return 0;
}
