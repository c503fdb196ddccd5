/* test_cache.c - what is kept is whole, found again, and does not grow for ever. */
#include "cache.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *context;
static char *dir, *cache;
static struct fault fault;

static void set_up(void)
{
    context = memory_context(NULL);
    dir = scratch_dir(context);
    cache = memory_format(context, "%s/deep/cache", dir);
}

static void tear_down(void)
{
    scratch_remove(dir);
    talloc_free(context);
}

TestSuite(cache, .init = set_up, .fini = tear_down);

static char *name_of(const char *first, const char *second)
{
    struct cache_key key;

    cache_key_begin(&key);
    cache_key_text(&key, first);
    cache_key_text(&key, second);
    return cache_key_name(context, &key);
}

static char *at(const char *name)
{
    return memory_format(context, "%s/%s", dir, name);
}

static int files_in(const char *path)
{
    DIR *open = opendir(path);
    struct dirent *entry = NULL;
    int count = 0;

    while (open != NULL && (entry = readdir(open)) != NULL)
        count += entry->d_name[0] != '.';
    if (open != NULL)
        closedir(open);
    return count;
}

/* Says that the kept file was asked for so long ago. */
static void age(const char *name, time_t seconds)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};

    cr_assert(utimensat(AT_FDCWD, memory_format(context, "%s/%s", cache, name), times, 0) == 0);
}

Test(cache, names_tell_all_parts)
{
    cr_assert_eq(strlen(name_of("a", "b")), 64u);
    cr_assert_str_eq(name_of("a", "b"), name_of("a", "b"));
    cr_assert_str_neq(name_of("a", "b"), name_of("ab", ""));
    cr_assert_str_neq(name_of("", "ab"), name_of("ab", ""));
    cr_assert_str_neq(name_of("a", NULL), name_of("a", ""));
}

Test(cache, names_tell_the_bytes_of_files)
{
    struct cache_key one, two, three;

    scratch_write(dir, "a", "same");
    scratch_write(dir, "b", "same");
    scratch_write(dir, "c", "other");
    cache_key_begin(&one), cache_key_begin(&two), cache_key_begin(&three);
    cr_assert(cache_key_file(&one, at("a"), &fault) == 0 && cache_key_file(&two, at("b"), &fault) == 0 &&
              cache_key_file(&three, at("c"), &fault) == 0);
    char *name = cache_key_name(context, &one);
    cr_assert_str_eq(name, cache_key_name(context, &two));
    cr_assert_str_neq(name, cache_key_name(context, &three));
}

Test(cache, a_file_that_is_not_there_is_a_fault)
{
    struct cache_key key;

    cache_key_begin(&key);
    cr_assert(cache_key_file(&key, at("none"), &fault) == -1);
    cr_assert_not_null(strstr(fault.text, "none"));
}

Test(cache, identity_changes_with_the_file)
{
    struct cache_key one, two, three;

    cache_key_begin(&one), cache_key_begin(&two), cache_key_begin(&three);
    cache_key_identity(&one, at("a"));
    scratch_write(dir, "a", "now it is there");
    cache_key_identity(&two, at("a"));
    scratch_write(dir, "a", "now it is there, and longer");
    cache_key_identity(&three, at("a"));
    char *absent = cache_key_name(context, &one), *first = cache_key_name(context, &two);
    cr_assert_str_neq(absent, first);
    cr_assert_str_neq(first, cache_key_name(context, &three));
}

Test(cache, kept_files_are_found_with_their_bytes_and_modes)
{
    const char *path = NULL;
    struct stat status;

    cr_assert_null(cache_find(context, cache, name_of("x", "y")));
    scratch_write(dir, "made", "a program");
    cr_assert(chmod(at("made"), 0755) == 0);
    cr_assert(cache_keep(context, cache, name_of("x", "y"), at("made"), &path, &fault) == 0, "%s", fault.text);
    cr_assert_str_eq(cache_find(context, cache, name_of("x", "y")), path);
    cr_assert(stat(path, &status) == 0 && (status.st_mode & 0777) == 0755);
    cr_assert_str_eq(cache_text(context, cache, name_of("x", "y")), "a program");
    cr_assert_not(scratch_has(dir, "made"), "it was moved");
    cr_assert_eq(files_in(cache), 1, "nothing else is left");
}

Test(cache, what_is_there_is_not_replaced)
{
    const char *path = NULL;
    struct stat first, second;

    scratch_write(dir, "made", "bytes");
    cr_assert(cache_keep(context, cache, name_of("a", "b"), at("made"), &path, &fault) == 0, "%s", fault.text);
    cr_assert(stat(path, &first) == 0);
    scratch_write(dir, "made", "bytes");
    cr_assert(cache_keep(context, cache, name_of("a", "b"), at("made"), &path, &fault) == 0, "%s", fault.text);
    cr_assert(stat(path, &second) == 0);
    cr_assert(first.st_ino == second.st_ino, "a file was replaced that somebody may be running");
    cr_assert_eq(files_in(cache), 1);
}

Test(cache, texts)
{
    cr_assert_null(cache_text(context, cache, name_of("t", "")));
    cr_assert(cache_keep_text(context, cache, name_of("t", ""), "one\ntwo\n", &fault) == 0, "%s", fault.text);
    cr_assert_str_eq(cache_text(context, cache, name_of("t", "")), "one\ntwo\n");
    cr_assert(cache_keep_text(context, cache, name_of("t", ""), "three", &fault) == 0);
    cr_assert_str_eq(cache_text(context, cache, name_of("t", "")), "three");
}

Test(cache, a_full_disk_is_a_fault_and_leaves_nothing)
{
    int status = 0;
    char *big = memory_zeroed(context, 200001, 1);

    memset(big, 'x', 200000);
    cr_assert(files_make_dirs(cache, &fault) == 0);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {100000, 100000};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(3);
        _exit(cache_keep_text(context, cache, name_of("big", ""), big, &fault) == -1 && fault.text[0] != '\0' ? 0 : 1);
    }
    cr_assert(waitpid(child, &status, 0) == child && status == 0);
    cr_assert_eq(files_in(cache), 0);
}

/* A grader that is killed while it keeps something over and over: whoever looks finds all of it or nothing. */
Test(cache, a_killed_grader_leaves_no_half_file)
{
    char *text = memory_zeroed(context, 300001, 1);

    memset(text, 'x', 300000);
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0)
            for (;;)
                cache_keep_text(context, cache, name_of("t", ""), text, &fault);
        while (round == 0 && cache_text(context, cache, name_of("t", "")) == NULL)
            usleep(1000);
        usleep((useconds_t)(500 * round));
        kill(child, SIGKILL);
        cr_assert(waitpid(child, NULL, 0) == child);
        char *found = cache_text(context, cache, name_of("t", ""));
        cr_assert(found != NULL && strlen(found) == 300000, "round %d: half a file", round);
    }
}

Test(cache, many_graders_at_once)
{
    enum { GRADERS = 4, ROUNDS = 50 };
    int status = 0;

    for (int i = 0; i < GRADERS; i++)
        if (fork() == 0) {
            for (int round = 0; round < ROUNDS; round++) {
                char *name = name_of("t", memory_format(context, "%d", round));
                if (cache_keep_text(context, cache, name, name, &fault) != 0)
                    _exit(1);
                char *found = cache_text(context, cache, name);
                if (found == NULL || strcmp(found, name) != 0)
                    _exit(2);
            }
            _exit(0);
        }
    for (int i = 0; i < GRADERS; i++)
        cr_assert(wait(&status) > 0 && status == 0, "a grader failed: %x", (unsigned)status);
    cr_assert_eq(files_in(cache), ROUNDS);
}

Test(cache, trimming_takes_the_oldest_and_spares_the_recent)
{
    static const char *const names[] = {"oldest", "older", "used", "new"};
    char *text = memory_zeroed(context, 100001, 1);

    memset(text, 'x', 100000);
    for (size_t i = 0; i < 4; i++)
        cr_assert(cache_keep_text(context, cache, names[i], text, &fault) == 0, "%s", fault.text);
    cr_assert(cache_keep_text(context, cache, "little", "x", &fault) == 0);
    age("little", 50000), age("oldest", 40000), age("older", 30000), age("used", 20000);
    cr_assert_not_null(cache_find(context, cache, "used"), "asking for it makes it recent");
    cache_trim(cache, 400001);
    cr_assert_eq(files_in(cache), 5, "nothing goes while there is room");
    cache_trim(cache, 400000);
    cr_assert_null(cache_find(context, cache, "oldest"));
    cr_assert_not_null(cache_find(context, cache, "older"), "three quarters stay");
    age("older", 30000);
    cache_trim(cache, 1);
    cr_assert_null(cache_find(context, cache, "older"));
    cr_assert_not_null(cache_find(context, cache, "used"), "asked for within the hour");
    cr_assert_not_null(cache_find(context, cache, "new"));
}

Test(cache, trimming_takes_what_killed_graders_left)
{
    cr_assert(cache_keep_text(context, cache, "tmp-abcdef", "half", &fault) == 0);
    cr_assert(cache_keep_text(context, cache, "tmp-ghijkl", "half", &fault) == 0);
    age("tmp-abcdef", 10000);
    cache_trim(cache, 1000000);
    cr_assert_eq(files_in(cache), 1, "the one that may still be written stays");
}
