/* valgrind_xml.c - an expat reader with a small path of open elements.
 *
 * The protocol is flat enough that the innermost element's name, and which of error, announcethread and fatal_signal
 * is open, say what a text means. Stacks attach to the sentence before them: valgrind writes <what>, <stack>,
 * <auxwhat>, <stack>, … in that order.
 */
#include "valgrind_xml.h"

#include "memory.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 4096, /* of one element; more is cut */
    DEPTH_MAX = 32,  /* the protocol needs 8 */
};

enum part { PART_NONE, PART_ERROR, PART_THREAD, PART_SIGNAL };

struct reader {
    void *context;
    XML_Parser parser;
    struct valgrind_report *report;
    enum part part;
    struct valgrind_error error; /* being read */
    struct valgrind_thread thread;
    const char *title; /* the sentence that the next stack belongs to; NULL once it has one */
    int title_thread;
    struct trace *trace; /* the stack that is open, or NULL */
    struct trace ignored;
    struct frame *frame; /* the frame that is open, or NULL */
    struct frame spare;
    char text[TEXT_MAX];
    size_t text_length;
    int depth;
};

static char *text_copy(struct reader *reader)
{
    return memory_text_n(reader->context, reader->text, reader->text_length);
}

static void note_add(struct reader *reader, const char *sentence)
{
    struct valgrind_error *error = &reader->error;

    if (error->note_count == VALGRIND_NOTES_MAX)
        return;
    error->notes = memory_grown(reader->context, error->notes, error->note_count + 1, sizeof *error->notes);
    error->notes[error->note_count++] = sentence;
}

/* A sentence that no stack followed is a note of its error. */
static void title_flush(struct reader *reader)
{
    if (reader->title != NULL && reader->part == PART_ERROR)
        note_add(reader, reader->title);
    reader->title = NULL;
    reader->title_thread = -1;
}

static struct trace *trace_open(struct reader *reader)
{
    struct valgrind_error *error = &reader->error;

    switch (reader->part) {
    case PART_THREAD:
        return &reader->thread.created;
    case PART_SIGNAL:
        return &reader->report->fatal;
    case PART_ERROR:
        if (error->trace_count < VALGRIND_TRACES_MAX) {
            error->traces = memory_grown(reader->context, error->traces, error->trace_count + 1, sizeof *error->traces);
            error->traces[error->trace_count] = (struct trace){.title = "", .thread = -1};
            return &error->traces[error->trace_count++];
        }
        break;
    case PART_NONE:
        break;
    }
    reader->ignored = (struct trace){.title = "", .thread = -1};
    return &reader->ignored;
}

static void stack_begin(struct reader *reader)
{
    reader->trace = trace_open(reader);
    if (reader->title != NULL) {
        reader->trace->title = reader->title;
        reader->trace->thread = reader->title_thread;
        reader->title = NULL;
    } else if (reader->part == PART_ERROR && reader->error.trace_count == 1) {
        reader->trace->title = reader->error.what != NULL ? reader->error.what : "";
        reader->trace->thread = reader->error.thread;
    }
}

static void part_begin(struct reader *reader, enum part part)
{
    reader->part = part;
    reader->title = NULL;
    reader->title_thread = -1;
    reader->error = (struct valgrind_error){.kind = "", .what = "", .thread = -1, .other = -1};
    reader->thread = (struct valgrind_thread){.created = {.title = "", .thread = -1}};
}

static void XMLCALL element_begin(void *data, const char *name, const char **attributes)
{
    struct reader *reader = data;

    (void)attributes;
    reader->text_length = 0;
    if (++reader->depth > DEPTH_MAX)
        XML_StopParser(reader->parser, XML_FALSE);
    else if (strcmp(name, "error") == 0)
        part_begin(reader, PART_ERROR);
    else if (strcmp(name, "announcethread") == 0)
        part_begin(reader, PART_THREAD);
    else if (strcmp(name, "fatal_signal") == 0)
        part_begin(reader, PART_SIGNAL);
    else if (strcmp(name, "auxwhat") == 0 || strcmp(name, "xauxwhat") == 0)
        title_flush(reader);
    else if (strcmp(name, "stack") == 0)
        stack_begin(reader);
    else if (strcmp(name, "isrootthread") == 0)
        reader->thread.root = true;
    else if (strcmp(name, "frame") == 0 && reader->trace != NULL) {
        reader->frame = trace_add(reader->context, reader->trace);
        if (reader->frame == NULL)
            reader->frame = &reader->spare;
    }
}

static void error_end(struct reader *reader)
{
    struct valgrind_report *report = reader->report;

    title_flush(reader);
    if (report->error_count == VALGRIND_ERRORS_MAX) {
        report->dropped++;
    } else {
        report->errors = memory_grown(reader->context, report->errors, report->error_count + 1, sizeof *report->errors);
        report->errors[report->error_count++] = reader->error;
    }
    reader->part = PART_NONE;
}

static void thread_end(struct reader *reader)
{
    struct valgrind_report *report = reader->report;

    if (report->thread_count < VALGRIND_THREADS_MAX) {
        report->threads =
            memory_grown(reader->context, report->threads, report->thread_count + 1, sizeof *report->threads);
        report->threads[report->thread_count++] = reader->thread;
    }
    reader->part = PART_NONE;
}

static void frame_text(struct reader *reader, const char *name)
{
    struct frame *frame = reader->frame;

    if (strcmp(name, "ip") == 0)
        frame->address = strtoull(reader->text, NULL, 16);
    else if (strcmp(name, "obj") == 0)
        frame->module = text_copy(reader);
    else if (strcmp(name, "fn") == 0)
        frame->function = text_copy(reader);
    else if (strcmp(name, "file") == 0)
        frame->file = trace_base_name(text_copy(reader));
    else if (strcmp(name, "line") == 0)
        frame->line = (int)strtol(reader->text, NULL, 10);
    else if (strcmp(name, "frame") == 0)
        reader->frame = NULL;
}

/* <hthreadid> names the thread of the sentence that is open: the error's own, or that of an <xauxwhat>. */
static void thread_text(struct reader *reader)
{
    int id = (int)strtol(reader->text, NULL, 10);

    if (reader->part == PART_THREAD)
        reader->thread.id = id;
    else if (reader->title != NULL)
        reader->title_thread = id;
    else if (reader->error.thread < 0)
        reader->error.thread = id;
    else if (reader->error.trace_count == 0)
        reader->error.other = id;
}

static void error_text(struct reader *reader, const char *name)
{
    bool first = reader->error.trace_count == 0 && reader->error.what[0] == '\0';

    if (strcmp(name, "kind") == 0)
        reader->error.kind = text_copy(reader);
    else if (!first && strcmp(name, "what") == 0)
        note_add(reader, text_copy(reader)); /* "with error code 35 (EDEADLK: …)" */
    else if (first && (strcmp(name, "text") == 0 || strcmp(name, "what") == 0))
        reader->error.what = text_copy(reader);
    else if (strcmp(name, "text") == 0 || strcmp(name, "auxwhat") == 0)
        reader->title = text_copy(reader);
}

static void XMLCALL element_end(void *data, const char *name)
{
    struct reader *reader = data;

    reader->depth--;
    reader->text[reader->text_length] = '\0';
    if (reader->frame != NULL)
        frame_text(reader, name);
    else if (strcmp(name, "stack") == 0)
        reader->trace = NULL;
    else if (strcmp(name, "hthreadid") == 0)
        thread_text(reader);
    else if (strcmp(name, "error") == 0)
        error_end(reader);
    else if (strcmp(name, "announcethread") == 0)
        thread_end(reader);
    else if (strcmp(name, "fatal_signal") == 0)
        reader->part = PART_NONE;
    else if (strcmp(name, "signo") == 0)
        reader->report->fatal_signal = (int)strtol(reader->text, NULL, 10);
    else if (strcmp(name, "tool") == 0)
        reader->report->tool = text_copy(reader);
    else if (reader->part == PART_ERROR)
        error_text(reader, name);
    reader->text_length = 0;
}

static void XMLCALL element_text(void *data, const char *text, int length)
{
    struct reader *reader = data;
    size_t room = TEXT_MAX - 1 - reader->text_length;
    size_t wanted = (size_t)length < room ? (size_t)length : room;

    memcpy(reader->text + reader->text_length, text, wanted);
    reader->text_length += wanted;
}

/* Entities are how a small XML file becomes a large one; valgrind uses none but the five that XML itself has. */
static void XMLCALL doctype_begin(void *data, const char *name, const char *system_id, const char *public_id,
                                  int has_internal)
{
    struct reader *reader = data;

    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal;
    XML_StopParser(reader->parser, XML_FALSE);
}

/* True where the text ended before the document did: what a killed valgrind leaves behind. */
static bool error_is_cut(enum XML_Error error)
{
    return error == XML_ERROR_NO_ELEMENTS || error == XML_ERROR_UNCLOSED_TOKEN || error == XML_ERROR_PARTIAL_CHAR ||
           error == XML_ERROR_UNCLOSED_CDATA_SECTION;
}

static int stream_read(FILE *file, const char *path, struct reader *reader, struct fault *fault)
{
    char block[16384];
    bool last = false;

    while (!last) {
        size_t size = fread(block, 1, sizeof block, file);

        if (ferror(file))
            return fault_errno(fault, "cannot read valgrind's report %s", path);
        last = feof(file) != 0;
        if (XML_Parse(reader->parser, block, (int)size, last) == XML_STATUS_OK)
            continue;
        if (last && error_is_cut(XML_GetErrorCode(reader->parser)))
            return 0;
        return fault_set(fault, "valgrind's report %s is not XML at line %lu: %s", trace_base_name(path),
                         (unsigned long)XML_GetCurrentLineNumber(reader->parser),
                         XML_ErrorString(XML_GetErrorCode(reader->parser)));
    }
    reader->report->whole = true;
    return 0;
}

int valgrind_xml_read(void *context, const char *path, struct valgrind_report *report, struct fault *fault)
{
    int result = -1;
    struct reader *reader = memory_zeroed(context, 1, sizeof *reader);
    FILE *file = fopen(path, "re");

    *report = (struct valgrind_report){.fatal = {.title = "", .thread = -1}};
    reader->context = context;
    reader->report = report;
    if (file == NULL) {
        (void)fault_errno(fault, "cannot open valgrind's report %s", path);
        goto out;
    }
    reader->parser = XML_ParserCreate(NULL);
    if (reader->parser == NULL) {
        (void)fault_set(fault, "out of memory while reading valgrind's report");
        goto out_file;
    }
    part_begin(reader, PART_NONE);
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, element_begin, element_end);
    XML_SetCharacterDataHandler(reader->parser, element_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, doctype_begin);
    result = stream_read(file, path, reader, fault);
    XML_ParserFree(reader->parser);
out_file:
    (void)fclose(file);
out:
    talloc_free(reader);
    return result;
}

const struct valgrind_thread *valgrind_thread_find(const struct valgrind_report *report, int id)
{
    for (size_t i = 0; i < report->thread_count; i++)
        if (report->threads[i].id == id)
            return &report->threads[i];
    return NULL;
}
