/* A name that nothing defines.
 * explore: => status 2 not_anywhere */
int not_anywhere(void);

int main(void)
{
    return not_anywhere();
}
