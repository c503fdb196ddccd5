/* The call that cannot be modelled is named as the program writes it, whatever its header makes of it; and the options
 * that people give to a compiler are its.
 * explore: -pthread -w -pedantic => status 2 .calls.scanf() */
#include <stdio.h>

int main(void)
{
    int number = 0;
    if (scanf("%d", &number) != 1)
        number = 1;
    return number - 1;
}
