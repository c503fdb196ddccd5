/* test_source.c - whatever lies where a student's file should be. */
#include "scratch.h"
#include "source.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void *context;
static char *tree, *dest;
static struct source_result result;
static struct fault fault;

static void set_up(void)
{
    context = memory_context(NULL);
    tree = scratch_dir(context);
    dest = memory_format(context, "%s/copy.c", tree);
}

static void tear_down(void)
{
    scratch_remove(tree);
    talloc_free(context);
}

TestSuite(source, .init = set_up, .fini = tear_down);

static char *at(const char *name)
{
    return memory_format(context, "%s/%s", tree, name);
}

static void write_bytes(const char *name, const char *bytes, size_t size)
{
    cr_assert(files_write(at(name), bytes, size, &fault) == 0, "%s", fault.text);
}

static enum source_outcome copy(const char *name)
{
    cr_assert(source_copy(context, tree, name, dest, &result, &fault) == 0, "%s", fault.text);
    cr_assert((result.outcome == SOURCE_COPIED) == (access(dest, F_OK) == 0), "a copy if and only if it was copied");
    cr_assert((result.outcome == SOURCE_COPIED) == (result.sentence == NULL));
    return result.outcome;
}

/* Refused, and the sentence has these words. */
static void refused(const char *name, const char *words, int line)
{
    cr_assert(copy(name) == SOURCE_UNREADABLE, "%s was not refused", name);
    cr_assert_not_null(strstr(result.sentence, words), "“%s” does not say “%s”", result.sentence, words);
    cr_assert_eq(result.line, line);
    cr_assert_not_null(strchr(".?", result.sentence[strlen(result.sentence) - 1]), "no end: %s", result.sentence);
}

Test(source, a_plain_file_is_copied)
{
    static const char text[] = "\xef\xbb\xbfint x; /* ä€😀 */\r\nint y;";
    size_t size = 0;

    write_bytes("a.c", text, strlen(text));
    cr_assert(copy("a.c") == SOURCE_COPIED);
    char *copied = files_read(context, dest, 1000, &size, &fault);
    cr_assert_not_null(copied);
    cr_assert_str_eq(copied, text);
}

Test(source, nothing_there)
{
    cr_assert(copy("a.c") == SOURCE_MISSING);
    cr_assert_not_null(strstr(result.sentence, "a.c"));
    cr_assert(copy("no/such/folder/a.c") == SOURCE_MISSING);
    write_bytes("plain", "x", 1);
    cr_assert(copy("plain/a.c") == SOURCE_MISSING);
}

Test(source, a_tree_that_is_not_there)
{
    cr_assert(source_copy(context, at("nowhere"), "a.c", dest, &result, &fault) == 0);
    cr_assert(result.outcome == SOURCE_MISSING);
}

Test(source, empty_or_blank)
{
    write_bytes("a.c", "", 0);
    refused("a.c", "empty", 0);
    write_bytes("b.c", " \n\t\r\n", 5);
    refused("b.c", "empty", 0);
}

Test(source, binary)
{
    write_bytes("a.c", "int x;\n\0int y;", 14);
    refused("a.c", "NUL byte", 2);
}

Test(source, not_utf8)
{
    static const char *const broken[] = {
        "caf\xe9",  "\xc0\xaf", "\xe0\x80\xaf",     "\xed\xa0\x80", "\xf5\x80\x80\x80",
        "\xe2\x82", "\x80",     "\xf0\x8f\xbf\xbf", NULL,
    };

    for (size_t i = 0; broken[i] != NULL; i++) {
        char *text = memory_format(context, "int x;\n/* %s", broken[i]);
        write_bytes("a.c", text, strlen(text));
        refused("a.c", "not UTF-8", 2);
    }
    write_bytes("a.c", "ab\n/* \xe9 */", 10);
    refused("a.c", "byte 4 of line 2 is 0xE9", 2);
}

Test(source, too_large)
{
    int fd = open(at("a.c"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert(fd >= 0 && ftruncate(fd, 100 << 20) == 0);
    close(fd);
    refused("a.c", "too large: it has 100 MiB", 0);
}

Test(source, largest_that_is_read)
{
    char *text = memory_zeroed(context, SOURCE_LIMIT_BYTES + 2, 1);

    memset(text, ' ', SOURCE_LIMIT_BYTES + 1);
    text[0] = ';';
    write_bytes("a.c", text, SOURCE_LIMIT_BYTES);
    cr_assert(copy("a.c") == SOURCE_COPIED);
    unlink(dest);
    write_bytes("a.c", text, SOURCE_LIMIT_BYTES + 1);
    refused("a.c", "too large", 0);
}

Test(source, no_regular_file)
{
    cr_assert(mkdir(at("folder.c"), 0755) == 0);
    refused("folder.c", "is a folder", 0);
    cr_assert(mkfifo(at("pipe.c"), 0644) == 0);
    refused("pipe.c", "not a regular file", 0); /* and nobody waits for a writer */
    cr_assert(source_copy(context, "/dev", "zero", dest, &result, &fault) == 0);
    cr_assert(result.outcome == SOURCE_UNREADABLE);
}

Test(source, links_lead_nowhere)
{
    write_bytes("real.c", "int x;", 6);
    cr_assert(symlink("real.c", at("link.c")) == 0);
    refused("link.c", "symbolic link", 0);
    cr_assert(symlink("/etc/passwd", at("out.c")) == 0);
    refused("out.c", "symbolic link", 0);
    cr_assert(mkdir(at("inner"), 0755) == 0 && symlink("inner", at("linked")) == 0);
    write_bytes("inner/a.c", "int x;", 6);
    refused("linked/a.c", "symbolic link", 0);
    cr_assert(copy("inner/a.c") == SOURCE_COPIED);
}

Test(source, nothing_above_the_tree)
{
    cr_assert(copy("../../etc/passwd") == SOURCE_UNREADABLE);
    cr_assert(copy("/etc/passwd") == SOURCE_UNREADABLE);
}

Test(source, a_file_that_may_not_be_read)
{
    int status = 0;

    write_bytes("a.c", "int x;", 6);
    cr_assert(chmod(at("a.c"), 0) == 0 && chmod(tree, 0755) == 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && seteuid(65534) != 0)
            _exit(3);
        _exit(source_copy(context, tree, "a.c", dest, &result, &fault) == 0 && result.outcome == SOURCE_UNREADABLE ? 0
                                                                                                                   : 1);
    }
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(status == 0);
}

Test(source, a_copy_that_cannot_be_written_is_a_fault)
{
    write_bytes("a.c", "int x;", 6);
    cr_assert(source_copy(context, tree, "a.c", at("no/folder/copy.c"), &result, &fault) == -1);
    cr_assert(fault.text[0] != '\0');
}

Test(source, lines_are_quoted)
{
    write_bytes("a.c", "first\n\t  second line  \r\n\n    \n\x1b[31mred\nlast", 44);
    cr_assert_str_eq(source_line(context, at("a.c"), 1), "first");
    cr_assert_str_eq(source_line(context, at("a.c"), 2), "second line");
    cr_assert_null(source_line(context, at("a.c"), 3));
    cr_assert_null(source_line(context, at("a.c"), 4));
    cr_assert_null(strchr(source_line(context, at("a.c"), 5), '\x1b'), "escapes are shown, not sent");
    cr_assert_str_eq(source_line(context, at("a.c"), 6), "last");
    cr_assert_null(source_line(context, at("a.c"), 7));
    cr_assert_null(source_line(context, at("a.c"), 0));
    cr_assert_null(source_line(context, at("a.c"), -1));
    cr_assert_null(source_line(context, at("none.c"), 1));
}

Test(source, long_lines_are_cut)
{
    char *text = memory_zeroed(context, 5001, 1);

    memset(text, 'x', 5000);
    write_bytes("a.c", text, 5000);
    cr_assert(strlen(source_line(context, at("a.c"), 1)) < 200);
}
