/* class_name.c - a student's name, which is the name of a folder and so may be any bytes, made fit for where it goes.
 */
#include "class.h"

#include "memory.h"
#include "utf8.h"

#include <ctype.h>
#include <nettle/sha2.h>
#include <string.h>

enum { NAME_LENGTH_MAX = 180, HASH_BYTES = 8 };

static bool is_plain(const char *at, bool first)
{
    if (isalnum((unsigned char)*at) || *at == '_')
        return true;
    return !first && strchr(" .-", *at) != NULL;
}

/* Cut, two names could be one: the hash keeps them apart. '~' stands in no name that was not cut. */
static char *cut_name(void *context, const char *name, const char *student)
{
    struct sha256_ctx hash;
    uint8_t digest[HASH_BYTES];
    size_t keep = NAME_LENGTH_MAX;

    while (keep > 0 && ((unsigned char)name[keep] & 0xC0) == 0x80)
        keep--;
    sha256_init(&hash);
    sha256_update(&hash, strlen(student), (const uint8_t *)student);
    sha256_digest(&hash, sizeof digest, digest);
    char *cut = memory_append(context, memory_text_n(context, name, keep), "~");
    for (size_t i = 0; i < sizeof digest; i++)
        cut = memory_append(context, cut, "%02x", digest[i]);
    return cut;
}

/* Each visible character beyond ASCII as it is, and every other byte as `add_byte` writes it. */
static char *spelled(void *context, const char *student,
                     char *(*add_byte)(void *context, char *name, const char *byte, bool first))
{
    char *name = memory_text(context, "");
    size_t left = strlen(student);

    for (const char *at = student; left > 0;) {
        size_t length = utf8_length(at, left);

        if (length > 1 && utf8_visible(at, length)) {
            name = memory_append(context, name, "%.*s", (int)length, at);
        } else {
            name = add_byte(context, name, at, at == student);
            length = 1;
        }
        at += length;
        left -= length;
    }
    return name;
}

static char *add_file_byte(void *context, char *name, const char *byte, bool first)
{
    if (is_plain(byte, first))
        return memory_append(context, name, "%c", *byte);
    return memory_append(context, name, "%%%02X", (unsigned char)*byte);
}

static char *add_shown_byte(void *context, char *name, const char *byte, bool first)
{
    (void)first;
    if (*byte == '\\')
        return memory_append(context, name, "\\\\");
    if (isprint((unsigned char)*byte))
        return memory_append(context, name, "%c", *byte);
    return memory_append(context, name, "\\x%02x", (unsigned char)*byte);
}

char *class_file_name(void *context, const char *student)
{
    char *name = spelled(context, student, add_file_byte);

    return strlen(name) > NAME_LENGTH_MAX ? cut_name(context, name, student) : name;
}

char *class_shown_name(void *context, const char *student)
{
    return spelled(context, student, add_shown_byte);
}

char *class_csv_field(void *context, const char *text)
{
    bool formula = *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
    bool quoted = strpbrk(text, ",;\"\r\n\t'") != NULL || *text == ' ' || formula;
    char *field = memory_text(context, quoted ? "\"" : "");

    if (formula)
        field = memory_append(context, field, "'");
    for (; *text != '\0'; text++)
        field = memory_append(context, field, *text == '"' ? "\"\"" : "%c", *text);
    return quoted ? memory_append(context, field, "\"") : field;
}
