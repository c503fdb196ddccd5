/* identity.c - a thread asks who it is. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

/* region who */
struct desk {
    bool taken;
    pthread_t clerk; /* means nothing while taken is false */
};

static bool is_my_desk(const struct desk *desk)
{
    return desk->taken && pthread_equal(desk->clerk, pthread_self());
}
/* end who */

static void *ask(void *argument)
{
    printf("the other thread: %s\n", is_my_desk(argument) ? "mine" : "not mine");
    return NULL;
}

int main(void)
{
    struct desk desk = {true, pthread_self()};
    pthread_t other;

    printf("main: %s\n", is_my_desk(&desk) ? "mine" : "not mine");
    if (pthread_create(&other, NULL, ask, &desk) != 0)
        return 1;
    pthread_join(other, NULL);
    return 0;
}
