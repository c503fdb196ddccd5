/* report.h - how the programs of the harness talk to the grader: one JSON object a line.
 *
 * Theory: the grader starts a program with `--report FD` (the writing end of a pipe) and `--key FD` (a file of at most
 * 63 bytes that no one else knows). A line is put together in one buffer and written by one write() of at most
 * PIPE_BUF bytes, so lines of several threads never mix, and whatever ends the program, what was reported stays
 * reported. The last line repeats the key: a student's `exit(0)` cannot write it. Without `--report` the lines go to
 * standard error, for a human. Every line has "event"; the rest depends on it:
 *
 * criterion_main.c (tests), from the runner's process, which runs no line of the student's:
 *     list    test, promise, file, line  one for each test, before the first begins; the place is that of TEST
 *     begin   test
 *     assert  file, line, message        one that failed
 *     mark    message                    check_end() was reached: "KEY TEST"
 *     end     test, status (passed, failed, skipped), passed, failed (assertions), signal (0: none), exit
 *     done    key, tests
 * check.c (tests), from the test's own process, on a pipe of its own (`--events FD`):
 *     enter   pid, tid, test, threads (of the harness, as [tid, …])
 *     crash   pid, tid, signal, address, null_call (1: a function was called by a pointer that is NULL)
 * scenario_main.c:
 *     list    scenario, story            one for each that will run, in their order
 *     begin   scenario
 *     failed  file, line, condition, message     an ensure() that does not hold; the program ends with status 1
 *     unjoined address, place ("file.c:12" where known)   a thread that was neither joined nor detached
 *     thread  tid, state                 still there after the scenario (S: sleeps, R: runs)
 *     descriptor number, path            still open after the scenario
 *     end     scenario
 *     trouble message                    the harness could not do its work; the program ends with status 2
 *     done    key, scenarios
 * bench_main.c:
 *     run     wall_ns, cpu_ns
 *     failed  file, line, message        a bench_require() that does not hold; the program ends with status 1
 *     done    key, runs
 *
 * All of it is in this header, so that every program needs one file only. The functions allocate nothing, lock nothing
 * and are async-signal-safe.
 */
#ifndef HARNESS_REPORT_H
#define HARNESS_REPORT_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room that every line keeps for numbers and brackets behind a long text. */
enum { REPORT_RESERVE = 256, REPORT_KEY_SIZE = 64 };

#define REPORT_OWN __attribute__((unused)) static

struct report_line {
    char text[PIPE_BUF];
    size_t size;
};

/* What a program was told on its command line. */
struct report {
    int fd;
    char key[REPORT_KEY_SIZE]; /* "" where there is none */
};

REPORT_OWN void report_raw(struct report_line *line, const char *text, size_t size)
{
    if (line->size + size < sizeof line->text) {
        memcpy(line->text + line->size, text, size);
        line->size += size;
    }
}

/* How many bytes the UTF-8 sequence at `text` has; 0 where it is not one (RFC 3629's table). */
REPORT_OWN size_t report_utf8(const unsigned char *text)
{
    size_t more = text[0] < 0x80 ? 0 : text[0] >= 0xc2 && text[0] <= 0xdf ? 1 : (text[0] & 0xf0) == 0xe0 ? 2 : 3;

    if ((text[0] >= 0x80 && text[0] < 0xc2) || text[0] > 0xf4)
        return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return more + 1;
}

REPORT_OWN void report_escaped(struct report_line *line, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0' && line->size + REPORT_RESERVE < sizeof line->text) {
        size_t size = report_utf8(at);
        if (size == 0) {
            report_raw(line, "\\ufffd", 6);
            size = 1;
        } else if (*at < 0x20 || *at == 0x7f) {
            char code[6] = {'\\', 'u', '0', '0', hex[*at >> 4], hex[*at & 15]};
            report_raw(line, code, sizeof code);
        } else {
            if (*at == '"' || *at == '\\')
                report_raw(line, "\\", 1);
            report_raw(line, (const char *)at, size);
        }
        at += size;
    }
}

REPORT_OWN void report_name(struct report_line *line, const char *name)
{
    report_raw(line, line->size == 0 ? "{\"" : ",\"", 2);
    report_raw(line, name, strlen(name));
    report_raw(line, "\":", 2);
}

REPORT_OWN void report_text(struct report_line *line, const char *name, const char *text)
{
    report_name(line, name);
    report_raw(line, "\"", 1);
    report_escaped(line, text == NULL ? "" : text);
    report_raw(line, "\"", 1);
}

REPORT_OWN void report_digits(struct report_line *line, long long number)
{
    char digits[24];
    size_t at = sizeof digits;
    unsigned long long rest = number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    report_raw(line, digits + at, sizeof digits - at);
}

REPORT_OWN void report_number(struct report_line *line, const char *name, long long number)
{
    report_name(line, name);
    report_digits(line, number);
}

REPORT_OWN void report_event(struct report_line *line, const char *event)
{
    line->size = 0;
    report_text(line, "event", event);
}

/* Writes the line. A pipe that nobody reads any more is not the program's business. Keeps errno. */
REPORT_OWN void report_send(int fd, struct report_line *line)
{
    int saved = errno;

    report_raw(line, "}\n", 2);
    while (write(fd, line->text, line->size) < 0 && errno == EINTR)
        continue;
    errno = saved;
}

/* Reads the key from its descriptor (from the start of the file, whoever read it before), and closes that. */
REPORT_OWN void report_read_key(int fd, char key[REPORT_KEY_SIZE])
{
    ssize_t got = pread(fd, key, REPORT_KEY_SIZE - 1, 0);

    key[got < 0 ? 0 : got] = '\0';
    close(fd);
}

/* The value of an option `--name VALUE` as a descriptor's number; -1 where it was not given. */
REPORT_OWN int report_option(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return (int)strtol(argv[i + 1], NULL, 10);
    return -1;
}

/* The first argument that is neither an option nor an option's value; NULL where there is none. */
REPORT_OWN const char *report_operand(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            continue;
        if (strncmp(argv[i], "--", 2) != 0)
            return argv[i];
        i++;
    }
    return NULL;
}

REPORT_OWN struct report report_open(int argc, char **argv)
{
    struct report report = {report_option(argc, argv, "--report"), ""};
    int key = report_option(argc, argv, "--key");

    if (report.fd < 0)
        report.fd = STDERR_FILENO;
    if (key >= 0)
        report_read_key(key, report.key);
    return report;
}

#endif
