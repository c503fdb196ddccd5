/* object.h - what a compiled file defines, calls and is made of (ELF, by libelf), and which source line made it (DWARF,
 * by libdw). The files are made by our compiler from strangers' source: names in them are theirs, the structure is not.
 */
#ifndef GRADE_OBJECT_H
#define GRADE_OBJECT_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum object_kind { OBJECT_FUNCTION, OBJECT_DATA, OBJECT_INDIRECT_FUNCTION, OBJECT_OTHER };

struct object_symbol {
    const char *name;
    enum object_kind kind;
    bool defined; /* else: called or used, and defined elsewhere */
    bool local;
    uint64_t size_bytes;
};

struct object_section {
    const char *name;
    size_t index;
    bool allocated, executable, writable;
    uint64_t size_bytes;
    const unsigned char *bytes; /* NULL where it has none in the file */
};

enum object_machine { OBJECT_X86_64, OBJECT_AARCH64, OBJECT_OTHER_MACHINE };

struct object {
    enum object_machine machine;
    struct object_symbol *symbols; /* without the file's, the sections' and the nameless */
    size_t symbol_count;
    struct object_section *sections;
    size_t section_count;
    struct object_files *files; /* its own */
};

/* Opens a relocatable file and reads its tables. All belongs to `context` and is good until object_close(). A file that
 * cannot be read is a fault. */
int object_open(void *context, const char *path, struct object *object, struct fault *fault);
void object_close(struct object *object);

/* The line of the main source file that `offset` in this section was made from; 0 where that is not known. */
int object_line(struct object *object, size_t section, uint64_t offset);

/* The line of the first use of this undefined symbol in code; 0 where that is not known. */
int object_use_line(struct object *object, const char *symbol);

/* The line at which this function or variable is defined; 0 where that is not known. */
int object_definition_line(struct object *object, const char *symbol);

/* The names of the global functions and objects that the file defines, NULL-terminated, owned by `context`. */
int object_globals(void *context, const char *path, const char ***names, struct fault *fault);

#endif
