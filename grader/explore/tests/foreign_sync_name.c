/* A call whose name the explorer uses itself for something else.
 * explore: -D_GNU_SOURCE => status 2 sync() */
#include <unistd.h>

int main(void)
{
    sync();
    return 0;
}
