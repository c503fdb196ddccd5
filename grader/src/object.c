/* libelf reads the tables at once. Lines are asked for only where something is wrong, so libdwfl, which relocates the
 * debug sections, is begun with the first question. */
#include "object.h"

#include "memory.h"
#include "trace.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

struct object_files {
    const char *path;
    int fd;
    Elf *elf;
    Dwfl *dwfl;          /* NULL until a line is asked for, and where there are no lines */
    Dwfl_Module *module; /* likewise */
    bool asked;
    Elf_Data *symbols; /* the symbol table, or NULL */
    size_t symbol_count;
    size_t names; /* index of the section with the symbols' names */
};

static int refuse(const struct object *object, struct fault *fault)
{
    return fault_set(fault, "%s: is no object file that can be read: %s", object->files->path, elf_errmsg(-1));
}

static void read_section(struct object *object, Elf_Scn *scn, const GElf_Shdr *header, const char *name)
{
    struct object_section *section = &object->sections[object->section_count++];
    Elf_Data *data = header->sh_type == SHT_NOBITS ? NULL : elf_getdata(scn, NULL);

    *section = (struct object_section){
        .name = name == NULL ? "" : name,
        .index = elf_ndxscn(scn),
        .allocated = (header->sh_flags & SHF_ALLOC) != 0,
        .executable = (header->sh_flags & SHF_EXECINSTR) != 0,
        .writable = (header->sh_flags & SHF_WRITE) != 0,
        .size_bytes = header->sh_size,
    };
    if (data != NULL && data->d_size >= header->sh_size)
        section->bytes = data->d_buf;
}

static int read_sections(void *context, struct object *object, struct fault *fault)
{
    struct object_files *files = object->files;
    size_t count = 0, names = 0;
    Elf_Scn *scn = NULL;

    if (elf_getshdrnum(files->elf, &count) != 0 || elf_getshdrstrndx(files->elf, &names) != 0)
        return refuse(object, fault);
    object->sections = memory_zeroed(context, count + 1, sizeof *object->sections);
    while ((scn = elf_nextscn(files->elf, scn)) != NULL) {
        GElf_Shdr header;

        if (gelf_getshdr(scn, &header) == NULL)
            return refuse(object, fault);
        read_section(object, scn, &header, elf_strptr(files->elf, names, header.sh_name));
        if (header.sh_type == SHT_SYMTAB && header.sh_entsize > 0) {
            files->symbols = elf_getdata(scn, NULL);
            files->symbol_count = header.sh_size / header.sh_entsize;
            files->names = header.sh_link;
        }
    }
    return 0;
}

static enum object_kind kind_of(const GElf_Sym *symbol)
{
    switch (GELF_ST_TYPE(symbol->st_info)) {
    case STT_FUNC:
        return OBJECT_FUNCTION;
    case STT_GNU_IFUNC:
        return OBJECT_INDIRECT_FUNCTION;
    case STT_OBJECT:
    case STT_COMMON:
    case STT_TLS:
        return OBJECT_DATA;
    default:
        return OBJECT_OTHER;
    }
}

static const char *symbol_at(const struct object_files *files, size_t index, GElf_Sym *symbol)
{
    if (files->symbols == NULL || gelf_getsym(files->symbols, (int)index, symbol) == NULL)
        return NULL;
    return elf_strptr(files->elf, files->names, symbol->st_name);
}

static void read_symbols(void *context, struct object *object)
{
    const struct object_files *files = object->files;

    object->symbols = memory_zeroed(context, files->symbol_count + 1, sizeof *object->symbols);
    for (size_t i = 1; i < files->symbol_count; i++) {
        GElf_Sym symbol;
        const char *name = symbol_at(files, i, &symbol);
        int type = name == NULL ? STT_FILE : GELF_ST_TYPE(symbol.st_info);

        if (type == STT_FILE || type == STT_SECTION || name[0] == '\0')
            continue;
        object->symbols[object->symbol_count++] = (struct object_symbol){
            .name = name,
            .kind = kind_of(&symbol),
            .defined = symbol.st_shndx != SHN_UNDEF,
            .local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL,
            .size_bytes = symbol.st_size,
        };
    }
}

static int read_header(struct object *object, struct fault *fault)
{
    GElf_Ehdr header;

    if (gelf_getehdr(object->files->elf, &header) == NULL || header.e_type != ET_REL)
        return refuse(object, fault);
    object->machine = header.e_machine == EM_X86_64    ? OBJECT_X86_64
                      : header.e_machine == EM_AARCH64 ? OBJECT_AARCH64
                                                       : OBJECT_OTHER_MACHINE;
    return 0;
}

int object_open(void *context, const char *path, struct object *object, struct fault *fault)
{
    struct object_files *files = memory_zeroed(context, 1, sizeof *files);

    *object = (struct object){.files = files};
    files->path = memory_text(context, path);
    elf_version(EV_CURRENT);
    files->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (files->fd < 0)
        return fault_errno(fault, "%s: cannot be read", path);
    files->elf = elf_begin(files->fd, ELF_C_READ, NULL);
    if (files->elf == NULL || read_header(object, fault) != 0 || read_sections(context, object, fault) != 0) {
        refuse(object, fault);
        object_close(object);
        return -1;
    }
    read_symbols(context, object);
    return 0;
}

void object_close(struct object *object)
{
    struct object_files *files = object->files;

    if (files->dwfl != NULL)
        dwfl_end(files->dwfl);
    if (files->elf != NULL)
        elf_end(files->elf);
    if (files->fd >= 0)
        close(files->fd);
    *files = (struct object_files){.fd = -1};
}

/* Makes ready for questions about lines; false where there are none. */
static bool ask(struct object *object)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
    };
    struct object_files *files = object->files;

    if (!files->asked) {
        files->asked = true;
        files->dwfl = dwfl_begin(&callbacks);
        if (files->dwfl != NULL)
            files->module = dwfl_report_offline(files->dwfl, "", files->path, -1);
        if (files->dwfl != NULL)
            dwfl_report_end(files->dwfl, NULL, NULL);
    }
    return files->module != NULL;
}

/* Whether the line table's file is the source that the object was compiled from. */
static bool is_main_file(Dwfl_Line *line, const char *file)
{
    Dwarf_Die *unit = dwfl_linecu(line);
    const char *main_file = unit == NULL ? NULL : dwarf_diename(unit);

    return main_file != NULL && strcmp(trace_base_name(main_file), trace_base_name(file)) == 0;
}

int object_line(struct object *object, size_t section, uint64_t offset)
{
    GElf_Addr bias = 0;
    GElf_Shdr header;
    int line = 0;

    if (!ask(object))
        return 0;
    Elf *elf = dwfl_module_getelf(object->files->module, &bias);
    Elf_Scn *scn = elf == NULL ? NULL : elf_getscn(elf, section);
    if (scn == NULL || gelf_getshdr(scn, &header) == NULL)
        return 0;
    Dwfl_Line *found = dwfl_module_getsrc(object->files->module, header.sh_addr + bias + offset);
    const char *file = found == NULL ? NULL : dwfl_lineinfo(found, NULL, &line, NULL, NULL, NULL);
    return file != NULL && is_main_file(found, file) ? line : 0;
}

/* The least offset in the code section `target` at which one of `relocations` is against `symbol`; true where there is
 * one. */
static bool first_relocation(const struct object *object, Elf_Data *relocations, size_t count, const char *symbol,
                             uint64_t *offset)
{
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        GElf_Rela relocation;
        GElf_Sym used;

        if (gelf_getrela(relocations, (int)i, &relocation) == NULL)
            break;
        const char *name = symbol_at(object->files, GELF_R_SYM(relocation.r_info), &used);
        if (name == NULL || strcmp(name, symbol) != 0 || (found && relocation.r_offset >= *offset))
            continue;
        *offset = relocation.r_offset;
        found = true;
    }
    return found;
}

static bool is_code(const struct object *object, size_t section)
{
    for (size_t i = 0; i < object->section_count; i++)
        if (object->sections[i].index == section)
            return object->sections[i].executable;
    return false;
}

int object_use_line(struct object *object, const char *symbol)
{
    Elf_Scn *scn = NULL;
    int first = 0;

    while ((scn = elf_nextscn(object->files->elf, scn)) != NULL) {
        GElf_Shdr header;
        uint64_t offset = 0;

        if (gelf_getshdr(scn, &header) == NULL || header.sh_type != SHT_RELA || header.sh_entsize == 0 ||
            !is_code(object, header.sh_info))
            continue;
        Elf_Data *relocations = elf_getdata(scn, NULL);
        if (relocations == NULL ||
            !first_relocation(object, relocations, header.sh_size / header.sh_entsize, symbol, &offset))
            continue;
        int line = object_line(object, header.sh_info, offset);
        if (line > 0 && (first == 0 || line < first))
            first = line;
    }
    return first;
}

/* The line at which the unit itself declares a function or variable of this name with a body or a place; 0: nowhere. */
static int line_in_unit(Dwarf_Die *unit, const char *symbol)
{
    Dwarf_Die die;
    int found = 0;

    for (int end = dwarf_child(unit, &die); end == 0 && found == 0; end = dwarf_siblingof(&die, &die)) {
        int tag = dwarf_tag(&die);
        const char *name = dwarf_diename(&die);
        int line = 0;

        if ((tag != DW_TAG_subprogram && tag != DW_TAG_variable) || name == NULL || strcmp(name, symbol) != 0 ||
            dwarf_hasattr(&die, DW_AT_declaration))
            continue;
        if (dwarf_decl_line(&die, &line) == 0)
            found = line;
    }
    return found;
}

int object_definition_line(struct object *object, const char *symbol)
{
    Dwarf_Addr bias = 0;
    int found = 0;

    if (!ask(object))
        return 0;
    for (Dwarf_Die *unit = dwfl_module_nextcu(object->files->module, NULL, &bias); unit != NULL && found == 0;
         unit = dwfl_module_nextcu(object->files->module, unit, &bias))
        found = line_in_unit(unit, symbol);
    return found;
}

int object_globals(void *context, const char *path, const char ***names, struct fault *fault)
{
    struct object object;
    size_t count = 0;

    if (object_open(context, path, &object, fault) != 0)
        return -1;
    *names = memory_zeroed(context, object.symbol_count + 1, sizeof **names);
    for (size_t i = 0; i < object.symbol_count; i++)
        if (object.symbols[i].defined && !object.symbols[i].local)
            (*names)[count++] = memory_text(context, object.symbols[i].name);
    object_close(&object);
    return 0;
}
