/* calls.c - an object and its calls in a struct: how a function works with a thing whose kind it does not know. */
#include <stdio.h>

/* region calls */
struct switch_calls {
    void *object;             /* handed to the calls */
    void (*on)(void *object); /* a pointer to a function */
    void (*off)(void *object);
};

/* Knows nothing but that it can be switched. */
static void blink(const struct switch_calls *what)
{
    what->on(what->object);
    what->off(what->object);
}
/* end calls */

/* region lamp */
struct lamp {
    const char *colour;
    int times;
};

static void lamp_on(void *object)
{
    struct lamp *lamp = object; /* it is what was put into the struct */

    lamp->times++;
    printf("%s lamp on\n", lamp->colour);
}

static void lamp_off(void *object)
{
    printf("%s lamp off\n", ((struct lamp *)object)->colour);
}
/* end lamp */

int main(void)
{
    /* region use */
    struct lamp red = {"red", 0};
    struct switch_calls calls = {&red, lamp_on, lamp_off};

    blink(&calls);
    /* end use */
    return red.times == 1 ? 0 : 1;
}
