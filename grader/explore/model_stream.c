/* model_stream.c - files by their names: fopen, and the streams that come of it.
 *
 * A file is read from the disk when a run first opens it, and lives in memory from then on. What the program writes is
 * there for whoever reads it later in the same run, and never reaches the disk: so every run begins with the same
 * files, and nothing that is the reader's is overwritten. Which thread reads the next line, and whose line is written
 * first, is for the search to decide: every call is a visible operation on its file, and like the lock that a stream
 * has, it orders what came before. The standard input is not modelled. See model.h.
 */
#include "model.h"

#include "record.h"
#include "shadow.h"
#include "sync_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DOCUMENTS_MAX = 32, STREAMS_MAX = 64, PATH_SIZE = 256, BYTES_MAX = 64 << 20 };

struct document {
    char path[PATH_SIZE]; /* "" where it never had a name */
    bool is_there;        /* false: removed */
    bool forgets;         /* /dev/null */
    char *bytes;          /* of the explorer's own memory */
    size_t size, room;
};

struct stream {
    FILE *file; /* NULL: closed */
    struct document *document;
    size_t at;
    bool appends;
};

static struct {
    struct document documents[DOCUMENTS_MAX];
    struct stream streams[STREAMS_MAX];
    unsigned documents_n, streams_n; /* in this run */
} model;

void model_stream_reset(void)
{
    for (unsigned i = 0; i < model.streams_n; i++)
        if (model.streams[i].file)
            fclose(model.streams[i].file);
    for (unsigned i = 0; i < model.documents_n; i++)
        free(model.documents[i].bytes);
    model.documents_n = model.streams_n = 0;
}

/* ---- files in memory --------------------------------------------------------------------------------------------- */

static bool has_room(struct document *document, size_t size)
{
    if (size <= document->room)
        return true;
    size_t room = size < 4096 ? 4096 : 2 * size;
    char *bytes = size > BYTES_MAX ? NULL : realloc(document->bytes, room);
    if (!bytes)
        return false;
    memset(bytes + document->room, 0, room - document->room);
    document->bytes = bytes;
    document->room = room;
    return true;
}

/* A file of that name as it is on the disk: empty where there is none. */
static void load(struct document *document)
{
    struct stat about;
    document->is_there = document->forgets;
    if (document->forgets || stat(document->path, &about))
        return;
    if (!S_ISREG(about.st_mode) || !has_room(document, (size_t)about.st_size + 1))
        il_found(FIND_CANNOT, NULL, "the program opens %s, which is no plain file of at most %d MiB", document->path,
                 BYTES_MAX >> 20);
    FILE *from = fopen(document->path, "re");
    if (!from)
        return;
    document->is_there = true;
    document->size = fread(document->bytes, 1, (size_t)about.st_size, from);
    fclose(from);
}

static struct document *document_new(const char *path)
{
    if (model.documents_n >= DOCUMENTS_MAX || strlen(path) >= PATH_SIZE)
        il_found(FIND_CANNOT, NULL, "the program opens more than %d files, or one with a name of more than %d letters",
                 DOCUMENTS_MAX, PATH_SIZE - 1);
    struct document *document = &model.documents[model.documents_n++];
    *document = (struct document){.forgets = strcmp(path, "/dev/null") == 0};
    memcpy(document->path, path, strlen(path) + 1);
    return document;
}

static struct document *document_of(const char *path)
{
    for (unsigned i = 0; i < model.documents_n; i++)
        if (strcmp(model.documents[i].path, path) == 0)
            return &model.documents[i];
    struct document *document = document_new(path);
    load(document);
    return document;
}

/* What the system would say to a file that is to be written, or made: 0, or an error. */
static int refuses(const struct document *document)
{
    char directory[PATH_SIZE];
    if (document->forgets || access(document->path, W_OK) == 0)
        return 0;
    if (errno != ENOENT)
        return errno;
    memcpy(directory, document->path, sizeof directory);
    char *slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory] = '\0';
    return access(slash ? directory : ".", W_OK) ? errno : 0;
}

/* ---- what a stream does with them (fopencookie) ------------------------------------------------------------------ */

static ssize_t stream_read(void *cookie, char *to, size_t size)
{
    struct stream *stream = cookie;
    const struct document *from = stream->document;
    size_t left = stream->at < from->size ? from->size - stream->at : 0, n = size < left ? size : left;
    if (n)
        memcpy(to, from->bytes + stream->at, n);
    stream->at += n;
    return (ssize_t)n;
}

static ssize_t stream_write(void *cookie, const char *from, size_t size)
{
    struct stream *stream = cookie;
    struct document *to = stream->document;
    if (to->forgets)
        return (ssize_t)size;
    if (stream->appends)
        stream->at = to->size;
    if (!has_room(to, stream->at + size)) {
        errno = ENOSPC;
        return 0;
    }
    memcpy(to->bytes + stream->at, from, size);
    stream->at += size;
    to->size = stream->at > to->size ? stream->at : to->size;
    return (ssize_t)size;
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    struct stream *stream = cookie;
    size_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? stream->at : stream->document->size;
    if (*offset < 0 && (size_t) - *offset > from) {
        errno = EINVAL;
        return -1;
    }
    stream->at = from + (size_t)*offset;
    *offset = (off64_t)stream->at;
    return 0;
}

/* ---- whose turn it is -------------------------------------------------------------------------------------------- */

static struct stream *stream_of(const FILE *file)
{
    for (unsigned i = 0; i < model.streams_n; i++)
        if (model.streams[i].file == file)
            return &model.streams[i];
    return NULL;
}

static void document_turn(struct document *document)
{
    struct sync *on = sync_use(document, SYNC_ATOMIC);
    il_wish(WISH_GO, NULL, NO_DEADLINE);
    il_acquire(on);
    il_event(on, true, 7);
    il_release(on);
}

static struct stream *open_stream(const FILE *file)
{
    struct stream *stream = file ? stream_of(file) : NULL;
    if (!stream)
        il_found(FIND_MISUSE, NULL, "%s uses a stream that is not open", il_name(il.current));
    return stream;
}

void model_stream_turn(const FILE *file)
{
    if (file == stdout || file == stderr)
        return;
    if (file == stdin)
        il_found(FIND_CANNOT, NULL, "the program reads its standard input, which the explorer cannot model");
    document_turn(open_stream(file)->document);
    open_stream(file); /* another thread may have closed it meanwhile */
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static FILE *stream_new(struct document *document, const char *mode, bool appends)
{
    unsigned at = 0;
    while (at < model.streams_n && model.streams[at].file)
        at++;
    if (at >= STREAMS_MAX) {
        errno = EMFILE;
        return NULL;
    }
    struct stream *stream = &model.streams[at];
    *stream = (struct stream){.document = document, .appends = appends};
    cookie_io_functions_t functions = {.read = stream_read, .write = stream_write, .seek = stream_seek};
    stream->file = fopencookie(stream, mode, functions);
    if (at == model.streams_n)
        model.streams_n++;
    return stream->file;
}

FILE *il_fopen(const char *path, const char *mode)
{
    IL_ENTER();
    bool updates = strchr(mode, '+') != NULL;
    char kind = *mode, plain[3] = {kind, updates ? '+' : '\0', '\0'};
    struct document *document = document_of(path);
    document_turn(document);
    int error = 0;
    if (kind != 'r' && kind != 'w' && kind != 'a')
        error = EINVAL;
    else if (kind == 'r' && !document->is_there)
        error = access(path, R_OK) ? errno : ENOENT;
    else if (kind != 'r' && document->is_there && strchr(mode, 'x'))
        error = EEXIST;
    else if (kind != 'r' || updates)
        error = refuses(document);
    if (error) {
        errno = error;
        return NULL;
    }
    document->is_there = true;
    if (kind == 'w')
        document->size = 0;
    record_note("opens the file", NULL, -1);
    return stream_new(document, plain, kind == 'a');
}

FILE *il_fopen64(const char *path, const char *mode)
{
    IL_ENTER();
    return il_fopen(path, mode);
}

FILE *il_tmpfile(void)
{
    IL_ENTER();
    return stream_new(document_new(""), "w+", false);
}

int il_fclose(FILE *file)
{
    IL_ENTER();
    if (file == stdin || file == stdout || file == stderr)
        return 0;
    model_stream_turn(file);
    struct stream *stream = stream_of(file);
    int result = fclose(file);
    stream->file = NULL;
    record_note("closes the file", NULL, -1);
    return result;
}

int il_remove(const char *path)
{
    IL_ENTER();
    struct document *document = document_of(path);
    document_turn(document);
    if (!document->is_there) {
        errno = ENOENT;
        return -1;
    }
    document->path[0] = '\0'; /* who has it open keeps it */
    document_new(path);
    return 0;
}

int il_unlink(const char *path)
{
    IL_ENTER();
    return il_remove(path);
}

/* ---- read -------------------------------------------------------------------------------------------------------- */

char *il_fgets(char *to, int size, FILE *from)
{
    IL_ENTER();
    model_stream_turn(from);
    char *text = fgets(to, size, from);
    if (text)
        shadow_access(to, strlen(to) + 1, true, false);
    return text;
}

int il_fgetc(FILE *from)
{
    IL_ENTER();
    model_stream_turn(from);
    return fgetc(from);
}

int il_getc(FILE *from)
{
    IL_ENTER();
    model_stream_turn(from);
    return fgetc(from);
}

int il_ungetc(int byte, FILE *to)
{
    IL_ENTER();
    model_stream_turn(to);
    return ungetc(byte, to);
}

size_t il_fread(void *to, size_t size, size_t n, FILE *from)
{
    IL_ENTER();
    model_stream_turn(from);
    size_t read = fread(to, size, n, from);
    if (read && size)
        shadow_access(to, read * size, true, false);
    return read;
}

/* The line grows in the program's own heap. */
ssize_t il_getdelim(char **line, size_t *size, int end, FILE *from)
{
    IL_ENTER();
    model_stream_turn(from);
    size_t n = 0;
    for (int byte = 0; byte != end && (byte = fgetc(from)) != EOF;) {
        if (!*line || n + 2 > *size) {
            size_t room = *line && *size > 60 ? 2 * *size : 120;
            char *more = il_realloc(*line, room);
            if (!more)
                return -1;
            *line = more;
            *size = room;
        }
        (*line)[n++] = (char)byte;
    }
    if (n == 0)
        return -1;
    (*line)[n] = '\0';
    shadow_access(*line, n + 1, true, false);
    return (ssize_t)n;
}

ssize_t il_getline(char **line, size_t *size, FILE *from)
{
    IL_ENTER();
    return il_getdelim(line, size, '\n', from);
}

static int scan(FILE *from, const char *format, va_list list)
{
    model_stream_turn(from);
    if (strstr(format, "%m"))
        il_found(FIND_CANNOT, NULL, "the program scans with %%m, which the explorer cannot model");
    return vfscanf(from, format, list);
}

int il_fscanf(FILE *from, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    int n = scan(from, format, list);
    va_end(list);
    return n;
}

/* What <stdio.h> makes of it. */
int il___isoc99_fscanf(FILE *from, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    int n = scan(from, format, list);
    va_end(list);
    return n;
}

int il___isoc23_fscanf(FILE *from, const char *format, ...)
{
    IL_ENTER();
    va_list list;
    va_start(list, format);
    int n = scan(from, format, list);
    va_end(list);
    return n;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

int il_fseek(FILE *file, long offset, int whence)
{
    IL_ENTER();
    model_stream_turn(file);
    return fseek(file, offset, whence);
}

int il_fseeko(FILE *file, off_t offset, int whence)
{
    IL_ENTER();
    return il_fseek(file, offset, whence);
}

long il_ftell(FILE *file)
{
    IL_ENTER();
    model_stream_turn(file);
    return ftell(file);
}

off_t il_ftello(FILE *file)
{
    IL_ENTER();
    return il_ftell(file);
}

void il_rewind(FILE *file)
{
    IL_ENTER();
    model_stream_turn(file);
    rewind(file);
}
