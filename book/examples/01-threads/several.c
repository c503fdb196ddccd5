/* several.c - several threads, each with a struct of its own; all are started before the first is joined. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 3 };

struct job {
    int number;
    pthread_t thread;
};

static void *run(void *argument)
{
    const struct job *job = argument;

    printf("job %d\n", job->number);
    return NULL;
}

int main(void)
{
    /* region loops */
    struct job *jobs = calloc(THREADS, sizeof *jobs);
    if (jobs == NULL)
        return 1;

    int started = 0;
    for (; started < THREADS; started++) {
        jobs[started].number = started;
        if (pthread_create(&jobs[started].thread, NULL, run, &jobs[started]) != 0)
            break; /* those that run are to be joined all the same */
    }
    for (int i = 0; i < started; i++)
        pthread_join(jobs[i].thread, NULL);
    free(jobs);
    /* end loops */
    return 0;
}
