/* no_diff.c - stands in for libgit2 in the test programs.
 *
 * Criterion's library asks for libgit2, to draw differences between texts in its console, which the grader never reads;
 * libgit2 brings some twenty libraries (TLS, Kerberos, SSH …). Every test is a process of its own and loads them all:
 * four fifths of what a small test costs. The Makefile builds this file under libgit2's name into build/lib, and the
 * toolchain puts that folder into the search path of the test programs (DT_RPATH). Where it is missing, the real
 * library is loaded, and everything works as before, only slower. These three functions are all that libcriterion 2.4
 * takes from libgit2; git_libgit2_init says how often it was initialised, git_diff_buffers that it failed.
 */
int git_libgit2_init(void);
int git_libgit2_shutdown(void);
int git_diff_buffers(void);

int git_libgit2_init(void)
{
    return 1;
}

int git_libgit2_shutdown(void)
{
    return 0;
}

int git_diff_buffers(void)
{
    return -1;
}
