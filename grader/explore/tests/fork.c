/* Something that cannot be modelled.
 * explore: => status 2 fork */
#include <unistd.h>

int main(void)
{
    return fork() < 0;
}
