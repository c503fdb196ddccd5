/* Computes for ever.
 * explore: => endless within 1 */
int main(void)
{
    for (;;)
        ;
}
