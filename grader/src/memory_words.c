#include "memory_words.h"

#include "memory.h"
#include "places.h"
#include "scenario_end.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct words {
    const char *begins; /* how the report's kind (or the sentence of undefined behaviour) begins */
    const char *what;   /* may have one %s: "read", "written", or "used" */
    const char *why;
};

static const struct words address_words[] = {
    {"heap-use-after-free", "Memory is %s after it was freed.",
     "After free the block may already belong to somebody else: a read finds anything there, and a write destroys what "
     "others keep in it. Free a thing only when nobody, in any thread, will use it again."},
    {"double-free", "The same block is freed twice.",
     "The second free gives back what may by then belong to somebody else. Let exactly one place own a block and free "
     "it, on every path."},
    {"bad-free", "free() gets an address that malloc() did not return.",
     "free takes the start of a block from malloc, calloc or realloc, and nothing else: no address inside a block, no "
     "variable."},
    {"heap-buffer-overflow", "Memory outside its block is %s.",
     "What lies beside a block belongs to others. Look at the size that was asked for, and at the first and the last "
     "index that is used."},
    {"stack-use-after-return", "A local variable is %s after its function has returned.",
     "A local variable ends with its function. A thread that was given its address may run later than that: give it "
     "memory that lives until the thread has been joined."},
    {"stack-use-after-scope", "A local variable is %s after its block has ended.",
     "A variable ends with the braces around it; its address must not outlive them."},
    {"stack-buffer", "Memory outside a local variable is %s.",
     "What lies beside it belongs to other variables of the function. Look at the size and at the first and the last "
     "index that is used."},
    {"dynamic-stack-buffer-overflow", "Memory outside a local array is %s.",
     "What lies beside it belongs to other variables of the function. Look at its length and at the last index."},
    {"global-buffer-overflow", "Memory outside a global variable is %s.",
     "What lies beside it belongs to other variables. Look at the size and at the last index that is used."},
    {"stack-overflow", "The stack is full: a function calls itself too often, or a local variable is too large.",
     "Every call needs room on its thread's stack, and that room is small. A recursion needs a case that ends it."},
    {"negative-size-param", "A size is negative.",
     "Seen as a size_t a negative number is an enormous one. Check what was subtracted from what."},
    {"memcpy-param-overlap", "memcpy() copies between ranges that overlap.",
     "memcpy may copy in any order, so overlapping bytes may be destroyed before they are read; memmove is for that."},
    {"strcpy-param-overlap", "strcpy() copies between strings that overlap.",
     "It may copy in any order, so bytes may be destroyed before they are read."},
    {"calloc-overflow", "calloc() is asked for more than a size_t can count.", "The two sizes were computed wrongly."},
    {"allocation-size-too-big", "An enormous block is asked for.",
     "Such a size nearly always comes from a negative number or a subtraction below zero."},
    {"out-of-memory", "The program asks for more memory than there is.", "It takes blocks and never gives them back."},
    {"SEGV", "The program crashes: it uses an address where there is no memory.",
     "The pointer was never set, or what it pointed to is gone."},
    {"BUS", "The program crashes: it uses an address where there is no memory.",
     "The pointer was never set, or what it pointed to is gone."},
    {"FPE", "The program crashes in an integer division.", "Division by zero has no result."},
    {"ILL", "The program runs into an instruction that ends it.",
     "Compilers put one where the code can only be reached by undefined behaviour."},
    {"ABRT", "The program ended itself with abort().",
     "An assert() did not hold, or the C library found its own data destroyed. What it printed stands below."},
    {"use-of-uninitialized-value", "The program decides by a value that was never set.",
     "Memory from malloc and local variables hold whatever was there before: the same program may behave otherwise "
     "tomorrow. Set every field where the object is made."},
    {"", "Memory is %s in a way that is not allowed.", "The address is not one that this code may use."},
};

static const struct words undefined_words[] = {
    {"signed integer overflow", NULL,
     "A signed number that grows too large does not wrap round in C: anything may happen. Check before you "
     "compute, or use a wider or an unsigned type."},
    {"negation of", NULL, "The most negative number has no positive counterpart in its type."},
    {"shift exponent", NULL, "A shift by a negative amount, or by as many bits as the type has, means nothing in C."},
    {"left shift", NULL, "A bit was shifted into or past the sign. Use an unsigned type."},
    {"division by zero", NULL, "Division by zero has no result; test the divisor first."},
    {"index", NULL, "The array has no such element: what is read or written there belongs to something else."},
    {"member access within null pointer", NULL,
     "A null pointer points to no object. Somebody did not set it, or a call that failed was not checked."},
    {"load of null pointer", NULL,
     "A null pointer points to nothing. Somebody did not set it, or a call that failed was "
     "not checked."},
    {"store to null pointer", NULL,
     "A null pointer points to nothing. Somebody did not set it, or a call that failed was "
     "not checked."},
    {"null pointer passed", NULL, "That function's contract asks for a real address."},
    {"member access within misaligned", NULL, "The address cannot be that of such an object: the pointer is wrong."},
    {"load of misaligned", NULL, "The address cannot be that of such an object: the pointer is wrong."},
    {"store to misaligned", NULL, "The address cannot be that of such an object: the pointer is wrong."},
    {"load of value", NULL,
     "The memory holds a value that this type does not have: it was never set, or written over."},
    {"member access within address", NULL, "The object does not fit where it is said to be: the block is too small."},
    {"load of address", NULL, "What is read there lies outside its object."},
    {"store to address", NULL, "What is written there lies outside its object: look at the size that was asked for."},
    {"pointer index expression", NULL, "The address computed lies outside of everything."},
    {"applying", NULL, "An address computed from a null pointer is no address."},
    {"variable length array", NULL, "An array needs at least one element."},
    {"execution reached", NULL, "The function promises a value on every path; this path has no return."},
    {"", NULL, "The C standard gives this no meaning, so the compiler may do anything with it."},
};

enum { BYTES_NEAR_NULL = 4096 };

static const struct words *words_of(const struct sanitizer_report *report)
{
    bool undefined = report->sanitizer == SANITIZER_UNDEFINED;
    const struct words *words = undefined ? undefined_words : address_words;
    const char *key = undefined ? report->text : report->kind;

    while (strncmp(key, words->begins, strlen(words->begins)) != 0)
        words++;
    return words;
}

/* "read" or "written", as the report's first stack is titled. */
static const char *access_word(const struct sanitizer_report *report)
{
    const char *title = report->trace_count > 0 ? report->traces[0].title : "";

    if (strncmp(title, "READ", 4) == 0)
        return "read";
    return strncmp(title, "WRITE", 5) == 0 ? "written" : "used";
}

static const char *note_with(const struct sanitizer_report *report, const char *part)
{
    for (size_t i = 0; i < report->note_count; i++)
        if (strstr(report->notes[i], part) != NULL)
            return report->notes[i];
    return NULL;
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

/* The sanitizer's number in "… thread T2 …"; 0 is main; -1 where none is named. */
static int thread_number(const char *title)
{
    const char *at = strstr(title, "thread T");

    if (at != NULL && isdigit((unsigned char)at[8]))
        return (int)strtol(at + 8, NULL, 10);
    return strstr(title, "main thread") != NULL ? 0 : -1;
}

/* "thread 2": numbers count the threads of this report, in the order they were started; 1 is main. NULL where the
 * report speaks of one thread only, so that there is nothing to tell apart. */
static const char *thread_name(void *context, const struct sanitizer_report *report, const struct trace *trace)
{
    int number = thread_number(trace->title);
    int rank = number > 0 ? 2 : 1;
    bool several = false;

    if (number < 0)
        return NULL;
    for (size_t i = 0; i < report->trace_count; i++) {
        int other = thread_number(report->traces[i].title);
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen = seen || thread_number(report->traces[k].title) == other;
        several = several || (other >= 0 && other != number);
        rank += !seen && other > 0 && other < number;
    }
    return several ? memory_format(context, "thread %d", rank) : NULL;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* "the block has 40 bytes; this is 0 bytes behind its end", from "… is located 0 bytes to the right of 40-byte region".
 */
static const char *region_note(void *context, const struct sanitizer_report *report, const char *access)
{
    const char *note = note_with(report, " is located ");
    long bytes;
    long size;

    if (note == NULL)
        return memory_format(context, "%s here", access);
    note = strstr(note, " is located ") + strlen(" is located ");
    if (sscanf(note, "%ld bytes to the right of %ld-byte", &bytes, &size) == 2)
        return memory_format(context, "%s here, %s the end of a block of %ld bytes", access,
                             bytes == 0 ? "just behind" : memory_format(context, "%ld bytes behind", bytes), size);
    if (sscanf(note, "%ld bytes to the left of %ld-byte", &bytes, &size) == 2)
        return memory_format(context, "%s here, %ld bytes before the start of a block of %ld bytes", access, bytes,
                             size);
    return memory_format(context, "%s here", access);
}

/* The name of the local variable that was overrun: from "[48, 52) 'b' (line 4) <== Memory access at …". */
static const char *variable_note(void *context, const struct sanitizer_report *report, const char *access)
{
    const char *note = note_with(report, "<== Memory access");
    const char *name = note == NULL ? NULL : strchr(note, '\'');
    const char *end = name == NULL ? NULL : strchr(name + 1, '\'');

    if (end == NULL)
        return region_note(context, report, access);
    return memory_format(context, "%s here; the variable is `%.*s`", access, (int)(end - name - 1), name + 1);
}

static const char *created_note(void *context, const char *title)
{
    const char *name = strchr(title, '\'');
    const char *end = name == NULL ? NULL : strchr(name + 1, '\'');

    if (strstr(title, "heap allocation") != NULL)
        return "allocated here, and not set";
    if (strstr(title, "in the stack frame") != NULL && end != NULL)
        return memory_format(context, "`%.*s` belongs to this function, and was not set", (int)(end - name - 1),
                             name + 1);
    if (strstr(title, "stored to memory") != NULL)
        return "copied here, still without a value";
    return "comes from here";
}

/* What a stack is to its report. */
static const char *trace_note(void *context, const struct sanitizer_report *report, size_t index)
{
    const char *title = report->traces[index].title;

    if (strncmp(title, "freed by", 8) == 0)
        return "freed here";
    if (strncmp(title, "previously allocated", 20) == 0 || strncmp(title, "allocated by", 12) == 0)
        return "allocated here";
    if (report->sanitizer == SANITIZER_LEAK)
        return "allocated here, and never freed";
    if (report->sanitizer == SANITIZER_MEMORY && index > 0)
        return created_note(context, title);
    if (index > 0)
        return NULL;
    if (report->sanitizer == SANITIZER_MEMORY)
        return "decided here";
    if (strcmp(report->kind, "double-free") == 0)
        return "freed again here";
    if (strncmp(report->kind, "stack-", 6) == 0)
        return variable_note(context, report, access_word(report));
    if (strncmp(title, "READ", 4) != 0 && strncmp(title, "WRITE", 5) != 0)
        return NULL;
    return region_note(context, report, access_word(report));
}

/* Stacks that tell where a thread was started, or list a frame's variables, are no places of the mistake. */
static bool trace_matters(const struct sanitizer_report *report, size_t index)
{
    const char *title = report->traces[index].title;

    if (report->sanitizer == SANITIZER_UNDEFINED)
        return index == 0 || report->traces[0].count == 0 || report->traces[0].frames[0].file == NULL;
    return strncmp(title, "Thread T", 8) != 0 && strncmp(title, "Address ", 8) != 0;
}

/* A value that is copied twice on one line is copied there. */
static bool is_shown(const struct finding *finding, const struct frame *frame, const char *note)
{
    const struct place *last = finding->place_count == 0 ? NULL : &finding->places[finding->place_count - 1];

    return last != NULL && last->line == frame->line && strcmp(last->file, frame->file) == 0 && last->note != NULL &&
           note != NULL && strcmp(last->note, note) == 0;
}

static void places_of_report(void *context, const struct workshop *shop, const struct sanitizer_report *report,
                             struct finding *finding)
{
    for (size_t i = 0; i < report->trace_count; i++) {
        const struct frame *frame = places_frame(shop, &report->traces[i]);
        const char *note = trace_note(context, report, i);

        if (trace_matters(report, i) && frame != NULL && !is_shown(finding, frame, note))
            (void)places_add(context, shop, finding, frame->file, frame->line,
                             thread_name(context, report, &report->traces[i]), note);
    }
}

/* ---- sentences --------------------------------------------------------------------------------------------------- */

static char *leak_what(void *context, const struct sanitizer_report *report)
{
    if (report->objects == 1)
        return memory_format(context, "A block of %ld %s is never freed.", report->bytes,
                             report->bytes == 1 ? "byte" : "bytes");
    return memory_format(context, "%ld blocks, together %ld bytes, are never freed.", report->objects, report->bytes);
}

/* A crash near address zero is a null pointer's. */
static bool is_near_null(const struct sanitizer_report *report)
{
    const char *at = strstr(report->text, "unknown address 0x");

    return strcmp(report->kind, "SEGV") == 0 && at != NULL && strtoull(at + 16, NULL, 16) < BYTES_NEAR_NULL;
}

/* "The behaviour is undefined: signed integer overflow: …." Addresses differ from machine to machine and say nothing.
 */
static char *undefined_what(void *context, const struct sanitizer_report *report)
{
    char *what = memory_text(context, "The behaviour is undefined: ");

    for (const char *at = report->text; *at != '\0';) {
        if (strncmp(at, " 0x", 3) == 0 && isxdigit((unsigned char)at[3])) {
            at += 3;
            at += strspn(at, "0123456789abcdefABCDEF");
            continue;
        }
        what = memory_append(context, what, "%c", *at++);
    }
    return memory_append(context, what, ".");
}

static const char *what_of(void *context, const struct sanitizer_report *report, const struct words *words)
{
    if (report->sanitizer == SANITIZER_LEAK)
        return leak_what(context, report);
    if (report->sanitizer == SANITIZER_UNDEFINED)
        return undefined_what(context, report);
    if (is_near_null(report))
        return "The program crashes: it uses a null pointer.";
    const char *slot = strstr(words->what, "%s");
    if (slot == NULL)
        return words->what;
    return memory_format(context, "%.*s%s%s", (int)(slot - words->what), words->what, access_word(report), slot + 2);
}

static const char *why_of(const struct sanitizer_report *report, const struct words *words)
{
    if (report->sanitizer == SANITIZER_LEAK)
        return "Every block from malloc, calloc or realloc must be freed once, on every path, error paths too. A "
               "program that "
               "runs for weeks dies of what each call leaves behind.";
    if (is_near_null(report))
        return "A null pointer points to nothing. Somebody did not set it, or a call that failed was not checked.";
    return words->why;
}

const struct scenario_state *memory_words_scenario(const struct scenario_run *run, const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++)
        for (size_t k = 0; k < run->scenario_count && trace->frames[i].function != NULL; k++)
            if (strcmp(trace->frames[i].function, run->scenarios[k].name) == 0)
                return &run->scenarios[k];
    return NULL;
}

int memory_words_rank(const struct sanitizer_report *report)
{
    static const int ranks[] = {[SANITIZER_ADDRESS] = 0,
                                [SANITIZER_UNDEFINED] = 1,
                                [SANITIZER_MEMORY] = 2,
                                [SANITIZER_THREAD] = 3,
                                [SANITIZER_LEAK] = 4};

    return ranks[report->sanitizer] + (strcmp(report->kind, "indirect leak") == 0);
}

void memory_words_add(void *context, const struct workshop *shop, const struct scenario_run *run,
                      const struct sanitizer_report *report, struct stage_result *result)
{
    const struct words *words = words_of(report);
    const struct scenario_state *scenario = run->current;
    struct finding *finding = finding_add(context, result, SEVERITY_FAILURE, what_of(context, report, words));

    for (size_t i = 0; i < report->trace_count && scenario == NULL; i++)
        scenario = memory_words_scenario(run, &report->traces[i]);
    finding->why = why_of(report, words);
    finding->detail = scenario_end_seen(context, scenario);
    places_of_report(context, shop, report, finding);
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

/* "pipe:[1234]" and the like carry numbers that differ from run to run. */
static const char *descriptor_name(void *context, const char *path)
{
    static const struct words kinds[] = {
        {"pipe:", "the end of a pipe", NULL},        {"socket:", "a socket", NULL},
        {"anon_inode:[eventfd", "an eventfd", NULL}, {"anon_inode:[eventpoll", "an epoll instance", NULL},
        {"anon_inode:[timerfd", "a timerfd", NULL},  {"/memfd:", "a memory file", NULL}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(path, kinds[i].begins, strlen(kinds[i].begins)) == 0)
            return kinds[i].what;
    return memory_format(context, "the file %s", trace_base_name(path));
}

static void place_of_text(void *context, const struct workshop *shop, struct finding *finding, const char *text)
{
    const char *colon = strrchr(text, ':');
    int line = colon == NULL ? 0 : (int)strtol(colon + 1, NULL, 10);

    if (line <= 0)
        return;
    const char *file = trace_base_name(memory_text_n(context, text, (size_t)(colon - text)));
    (void)places_add(context, shop, finding, file, line, NULL, "started here");
}

void memory_words_add_remain(void *context, const struct workshop *shop, const struct remain *remain,
                             struct stage_result *result)
{
    struct finding *finding = NULL;

    switch (remain->kind) {
    case REMAIN_UNJOINED:
        finding = finding_add(context, result, SEVERITY_FAILURE, "A thread is neither joined nor detached.");
        finding->why =
            "A thread that nobody joins keeps its stack until the program ends, and nobody knows when it is done. "
            "Every pthread_create needs its pthread_join (or pthread_detach), on every path.";
        place_of_text(context, shop, finding, remain->text);
        break;
    case REMAIN_THREAD:
        finding = finding_add(context, result, SEVERITY_FAILURE,
                              remain->text[0] == 'R' ? "A thread still runs after everything has been ended."
                                                     : "A thread still waits after everything has been ended.");
        finding->why = "Whoever ends an object must end the threads that it started, and wait until they are gone: "
                       "they may still use what is freed next.";
        break;
    case REMAIN_DESCRIPTOR:
        finding = finding_add(
            context, result, SEVERITY_FAILURE,
            memory_format(context, "A descriptor is left open: %s.", descriptor_name(context, remain->text)));
        finding->why =
            "A process may have only so many descriptors open, and whoever reads the other end of a pipe waits "
            "until the last writer has closed it. Close each one, on every path.";
        break;
    }
    finding->detail = scenario_end_seen(context, remain->scenario);
}
