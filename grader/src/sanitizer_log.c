/* sanitizer_log.c - a line reader: a headline begins a report, a stack belongs to the line above it.
 */
#include "sanitizer_log.h"

#include "memory.h"

#include <ctype.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 2048 };

struct scanner {
    void *context;
    struct sanitizer_log *log;
    struct sanitizer_report *report; /* that is open, or NULL */
    char title[LINE_MAX_BYTES];      /* the line above, not yet given to a stack; "" */
    struct trace *trace;             /* the stack that is open, or NULL */
    struct trace ignored;
};

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* "(/path/program+0x1a2b)": fills module and address. */
static void module_read(void *context, const char *place, struct frame *frame)
{
    const char *end = strchr(place, ')');
    const char *plus = NULL;

    if (place[0] != '(' || end == NULL)
        return;
    for (const char *at = place; at < end; at++)
        if (at[0] == '+' && at[1] == '0' && at[2] == 'x')
            plus = at;
    if (plus == NULL)
        return;
    frame->module = memory_text_n(context, place + 1, (size_t)(plus - place) - 1);
    frame->address = strtoull(plus + 1, NULL, 16);
}

/* "counter.c:31:7 (program+0x1234)" or "counter.c:31" or "(program+0x1234)". */
static void place_read(void *context, char *place, struct frame *frame)
{
    char *module = place[0] == '(' ? place : strstr(place, " (");
    long numbers[2] = {0, 0};
    int found = 0;

    if (module != NULL) {
        module_read(context, module + (module[0] == ' '), frame);
        *module = '\0';
    }
    while (found < 2) {
        char *colon = strrchr(place, ':');

        if (colon == NULL || !isdigit((unsigned char)colon[1]))
            break;
        numbers[found++] = strtol(colon + 1, NULL, 10);
        *colon = '\0';
    }
    if (found == 0)
        return;
    frame->line = (int)numbers[found - 1];
    frame->file = memory_text(context, trace_base_name(place));
}

/* "#0 0x55d in main main.c:4", "#0 0x55d  (program+0x1234)", "#0 main main.c:4 (program+0x1234)". */
static bool frame_read(struct scanner *scanner, const char *line)
{
    char copy[LINE_MAX_BYTES];
    char *at = copy;

    while (*line == ' ')
        line++;
    if (line[0] != '#' || !isdigit((unsigned char)line[1]))
        return false;
    (void)snprintf(copy, sizeof copy, "%s", line);
    at += strcspn(at, " ");
    at += strspn(at, " ");
    if (scanner->trace == NULL)
        return true;
    struct frame *frame = trace_add(scanner->context, scanner->trace);
    if (frame == NULL)
        return true;
    if (strncmp(at, "0x", 2) == 0) {
        frame->address = strtoull(at, &at, 16);
        at += strspn(at, " ");
        if (strncmp(at, "in ", 3) != 0) {
            place_read(scanner->context, at, frame);
            return true;
        }
        at += 3;
    }
    size_t length = strcspn(at, " ");
    if (strncmp(at, "<null>", 6) != 0)
        frame->function = memory_text_n(scanner->context, at, length);
    at += length;
    place_read(scanner->context, at + strspn(at, " "), frame);
    return true;
}

/* ---- headlines --------------------------------------------------------------------------------------------------- */

static void report_begin(struct scanner *scanner, enum sanitizer sanitizer, const char *kind, const char *text)
{
    struct sanitizer_log *log = scanner->log;

    scanner->report = NULL;
    scanner->trace = NULL;
    scanner->title[0] = '\0';
    if (log->count == SANITIZER_REPORTS_MAX)
        return;
    log->reports = memory_grown(scanner->context, log->reports, log->count + 1, sizeof *log->reports);
    scanner->report = &log->reports[log->count++];
    *scanner->report = (struct sanitizer_report){.sanitizer = sanitizer,
                                                 .kind = memory_text(scanner->context, kind),
                                                 .text = memory_text(scanner->context, text)};
}

/* AddressSanitizer's sentence begins with the kind, but for two that begin with "attempting". */
static void address_begin(struct scanner *scanner, enum sanitizer sanitizer, const char *text)
{
    char kind[64];

    if (strncmp(text, "attempting double-free", 22) == 0)
        (void)snprintf(kind, sizeof kind, "double-free");
    else if (strncmp(text, "attempting free on address", 26) == 0)
        (void)snprintf(kind, sizeof kind, "bad-free");
    else if (strncmp(text, "requested allocation size", 25) == 0)
        (void)snprintf(kind, sizeof kind, "allocation-size-too-big");
    else
        (void)snprintf(kind, sizeof kind, "%.*s", (int)strcspn(text, " "), text);
    report_begin(scanner, sanitizer, kind, text);
}

/* "data race (pid=1234)": the kind is all before the parenthesis. */
static void thread_begin(struct scanner *scanner, const char *text)
{
    const char *end = strstr(text, " (");
    char *kind = memory_text_n(scanner->context, text, end == NULL ? strlen(text) : (size_t)(end - text));

    report_begin(scanner, SANITIZER_THREAD, kind, kind);
}

/* A line of LeakSanitizer's list; the list's own headline opens nothing. */
static bool leak_begin(struct scanner *scanner, const char *line)
{
    long bytes;
    long objects;
    bool direct = strncmp(line, "Direct leak of ", 15) == 0;

    if (sscanf(line, "%*s leak of %ld byte(s) in %ld object(s) allocated from:", &bytes, &objects) != 2)
        return false;
    report_begin(scanner, SANITIZER_LEAK, direct ? "direct leak" : "indirect leak", line);
    if (scanner->report != NULL) {
        scanner->report->bytes = bytes;
        scanner->report->objects = objects;
        (void)snprintf(scanner->title, sizeof scanner->title, "%s", line);
    }
    return true;
}

/* "counter.c:31:7: runtime error: signed integer overflow: …": the place is kept as a stack of its own, because the
 * stack below it may miss a frame that the compiler inlined. */
static bool undefined_begin(struct scanner *scanner, const char *line)
{
    static const char mark[] = ": runtime error: ";
    const char *at = strstr(line, mark);

    if (at == NULL)
        return false;
    report_begin(scanner, SANITIZER_UNDEFINED, "runtime error", at + sizeof mark - 1);
    if (scanner->report == NULL)
        return true;
    struct frame frame = {0};
    place_read(scanner->context, memory_text_n(scanner->context, line, (size_t)(at - line)), &frame);
    struct sanitizer_report *report = scanner->report;
    report->traces = memory_zeroed(scanner->context, 1, sizeof *report->traces);
    report->traces[0] = (struct trace){.title = "", .thread = -1};
    report->trace_count = 1;
    struct frame *kept = trace_add(scanner->context, &report->traces[0]);
    if (kept != NULL)
        *kept = frame;
    return true;
}

/* What follows `name` + ": " in `line`, or NULL. */
static const char *after_name(const char *line, const char *name)
{
    const char *at = strstr(line, name);

    return at == NULL ? NULL : at + strlen(name);
}

static bool headline_read(struct scanner *scanner, const char *line)
{
    const char *text;

    if ((text = after_name(line, "ERROR: AddressSanitizer: ")) != NULL)
        address_begin(scanner, SANITIZER_ADDRESS, text);
    else if ((text = after_name(line, "WARNING: MemorySanitizer: ")) != NULL ||
             (text = after_name(line, "ERROR: MemorySanitizer: ")) != NULL)
        address_begin(scanner, SANITIZER_MEMORY, text);
    else if ((text = after_name(line, "WARNING: ThreadSanitizer: ")) != NULL)
        thread_begin(scanner, text);
    else if ((text = after_name(line, "ERROR: ThreadSanitizer: ")) != NULL)
        address_begin(scanner, SANITIZER_THREAD, text);
    else if (strstr(line, "LeakSanitizer has encountered a fatal error") != NULL ||
             strstr(line, "FATAL: ThreadSanitizer: ") != NULL || strstr(line, "FATAL: MemorySanitizer: ") != NULL ||
             strstr(line, "AddressSanitizer CHECK failed") != NULL)
        scanner->log->failure = memory_text(scanner->context, line);
    else
        return leak_begin(scanner, line) || undefined_begin(scanner, line);
    return true;
}

/* ---- the lines between ------------------------------------------------------------------------------------------- */

static void title_flush(struct scanner *scanner)
{
    struct sanitizer_report *report = scanner->report;

    if (scanner->title[0] != '\0' && report != NULL && report->note_count < SANITIZER_NOTES_MAX) {
        report->notes = memory_grown(scanner->context, report->notes, report->note_count + 1, sizeof *report->notes);
        report->notes[report->note_count++] = memory_text(scanner->context, scanner->title);
    }
    scanner->title[0] = '\0';
}

static void trace_begin(struct scanner *scanner)
{
    struct sanitizer_report *report = scanner->report;

    scanner->ignored = (struct trace){.title = "", .thread = -1};
    scanner->trace = &scanner->ignored;
    if (report == NULL || report->trace_count == SANITIZER_TRACES_MAX)
        return;
    report->traces = memory_grown(scanner->context, report->traces, report->trace_count + 1, sizeof *report->traces);
    scanner->trace = &report->traces[report->trace_count++];
    *scanner->trace = (struct trace){.title = memory_text(scanner->context, scanner->title), .thread = -1};
    scanner->title[0] = '\0';
}

static bool line_ends_report(const char *line)
{
    return strncmp(line, "SUMMARY: ", 9) == 0 || strncmp(line, "Shadow bytes", 12) == 0;
}

static void line_read(struct scanner *scanner, const char *line)
{
    const char *content = line + strspn(line, " ");

    if (content[0] == '#' && isdigit((unsigned char)content[1])) {
        if (content[1] == '0' && content[2] == ' ')
            trace_begin(scanner);
        (void)frame_read(scanner, content);
    } else if (headline_read(scanner, line)) {
        return;
    } else if (line_ends_report(content)) {
        title_flush(scanner);
        scanner->report = NULL;
        scanner->trace = NULL;
    } else if (content[0] != '\0' && content[0] != '=') {
        title_flush(scanner);
        (void)snprintf(scanner->title, sizeof scanner->title, "%s", content);
    }
}

void sanitizer_log_read(void *context, const char *text, struct sanitizer_log *log)
{
    struct scanner *scanner = memory_zeroed(context, 1, sizeof *scanner);
    char *line = memory_zeroed(scanner, LINE_MAX_BYTES, 1);

    *log = (struct sanitizer_log){0};
    scanner->context = context;
    scanner->log = log;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        size_t kept = length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES - 1;

        memcpy(line, text, kept);
        line[kept] = '\0';
        line_read(scanner, line);
        text += length + (text[length] == '\n');
    }
    title_flush(scanner);
    talloc_free(scanner);
}

/* ---- addresses to lines ------------------------------------------------------------------------------------------ */

/* The source line of an address. clang writes no .debug_aranges, without which dwfl_module_getsrc finds nothing, so
 * each unit is asked whether it has the address. */
static Dwarf_Line *line_find(Dwfl_Module *module, GElf_Addr address)
{
    Dwarf_Addr bias = 0;

    for (Dwarf_Die *unit = dwfl_module_nextcu(module, NULL, &bias); unit != NULL;
         unit = dwfl_module_nextcu(module, unit, &bias))
        if (dwarf_haspc(unit, address - bias) == 1)
            return dwarf_getsrc_die(unit, address - bias);
    return NULL;
}

static void frame_resolve(void *context, Dwfl_Module *module, struct frame *frame)
{
    GElf_Addr base;
    int number = 0;

    (void)dwfl_module_info(module, NULL, &base, NULL, NULL, NULL, NULL, NULL);
    const char *function = dwfl_module_addrname(module, base + frame->address);
    Dwarf_Line *line = line_find(module, base + frame->address);
    const char *file = line == NULL ? NULL : dwarf_linesrc(line, NULL, NULL);

    if (function != NULL && frame->function == NULL)
        frame->function = memory_text(context, function);
    if (file != NULL && dwarf_lineno(line, &number) == 0 && number > 0) {
        frame->file = memory_text(context, trace_base_name(file));
        frame->line = number;
    }
}

static void log_resolve(void *context, const char *program, Dwfl_Module *module, struct sanitizer_log *log)
{
    const char *name = trace_base_name(program);

    for (size_t i = 0; i < log->count; i++)
        for (size_t k = 0; k < log->reports[i].trace_count; k++) {
            const struct trace *trace = &log->reports[i].traces[k];

            for (size_t n = 0; n < trace->count; n++) {
                struct frame *frame = &trace->frames[n];

                if (frame->file == NULL && frame->module != NULL && strcmp(trace_base_name(frame->module), name) == 0)
                    frame_resolve(context, module, frame);
            }
        }
}

int sanitizer_log_resolve(void *context, const char *program, struct sanitizer_log *log, struct fault *fault)
{
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                             .find_debuginfo = dwfl_standard_find_debuginfo,
                                             .section_address = dwfl_offline_section_address};

    if (log->count == 0)
        return 0;
    Dwfl *dwfl = dwfl_begin(&callbacks);
    if (dwfl == NULL)
        return fault_set(fault, "cannot read debug information: %s", dwfl_errmsg(-1));
    dwfl_report_begin(dwfl);
    Dwfl_Module *module = dwfl_report_elf(dwfl, "program", program, -1, 0, false);
    int result = 0;
    if (module == NULL)
        result = fault_set(fault, "cannot read debug information of %s: %s", trace_base_name(program), dwfl_errmsg(-1));
    (void)dwfl_report_end(dwfl, NULL, NULL);
    if (module != NULL)
        log_resolve(context, program, module, log);
    dwfl_end(dwfl);
    return result;
}
