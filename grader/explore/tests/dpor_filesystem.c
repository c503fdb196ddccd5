/* filesystem(16) of Flanagan & Godefroid (POPL 2005): threads take inodes and look for free blocks, each under its own
 * lock. Up to 13 threads never meet; the 14th to the 16th each meet one other: 2 · 2 · 2 traces.
 * explore: --preemptions all => traces 8 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { THREADS = 16, BLOCKS = 26, INODES = 32 };

static pthread_mutex_t inode_mutexes[INODES], block_mutexes[BLOCKS];
static int inodes[INODES];
static bool busy[BLOCKS];

static void find_block(int inode)
{
    bool found = false;
    for (int block = inode * 2 % BLOCKS; !found; block = (block + 1) % BLOCKS) {
        pthread_mutex_lock(&block_mutexes[block]);
        if (!busy[block]) {
            busy[block] = found = true;
            inodes[inode] = block + 1;
        }
        pthread_mutex_unlock(&block_mutexes[block]);
    }
}

static void *work(void *argument)
{
    int inode = (int)(intptr_t)argument % INODES;
    pthread_mutex_lock(&inode_mutexes[inode]);
    if (inodes[inode] == 0)
        find_block(inode);
    pthread_mutex_unlock(&inode_mutexes[inode]);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < INODES; i++)
        pthread_mutex_init(&inode_mutexes[i], NULL);
    for (int i = 0; i < BLOCKS; i++)
        pthread_mutex_init(&block_mutexes[i], NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
