/* names.c - see names.h. */
#include "names.h"

#include "heap.h"
#include "lines.h"
#include "memory_map.h"

#include <ctype.h>
#include <dwarf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS_MAX = 4096, DEPTH_MAX = 12 };

struct variable {
    Dwarf_Addr start;
    Dwarf_Word size;
    Dwarf_Die die;
};

struct object {
    const void *address;
    struct name name;
};

static struct {
    bool is_read;
    struct variable *variables;
    size_t variables_n, variables_room;
    struct object *objects;
    unsigned objects_n;
} names;

/* ---- types ------------------------------------------------------------------------------------------------------- */

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_attr_integrate(die, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, type);
}

/* A type of the library's whose inside is nobody's business. */
static bool is_opaque(const char *name)
{
    static const char *const opaque[] = {"pthread_", "sem_t", "mtx_t", "cnd_t", "once_flag", "thrd_t", "FILE"};
    for (unsigned i = 0; name && i < sizeof opaque / sizeof opaque[0]; i++)
        if (strncmp(name, opaque[i], strlen(opaque[i])) == 0)
            return true;
    return false;
}

/* Without typedefs and qualifiers; false where it is void or opaque. */
static bool peel(Dwarf_Die *type)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        switch (dwarf_tag(type)) {
        case DW_TAG_typedef:
            if (is_opaque(dwarf_diename(type)))
                return false;
            break;
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_atomic_type:
        case DW_TAG_restrict_type:
            break;
        default:
            return true;
        }
        if (!type_of(type, type))
            return false;
    }
    return false;
}

static enum name_kind kind_of(Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    Dwarf_Word encoding = 0;
    int tag = dwarf_tag(type);
    if (tag == DW_TAG_pointer_type)
        return NAME_POINTER;
    if (tag == DW_TAG_enumeration_type)
        return NAME_SIGNED;
    if (tag != DW_TAG_base_type || !dwarf_attr(type, DW_AT_encoding, &attribute) ||
        dwarf_formudata(&attribute, &encoding))
        return NAME_UNKNOWN;
    switch (encoding) {
    case DW_ATE_signed:
        return NAME_SIGNED;
    case DW_ATE_signed_char:
    case DW_ATE_unsigned_char:
        return NAME_CHAR;
    case DW_ATE_boolean:
        return NAME_BOOL;
    case DW_ATE_unsigned:
        return NAME_UNSIGNED;
    case DW_ATE_float:
        return NAME_FLOAT;
    default:
        return NAME_UNKNOWN;
    }
}

static void append(struct name *name, const char *word)
{
    size_t at = strlen(name->text);
    snprintf(name->text + at, sizeof name->text - at, "%s", word ? word : "?");
}

static void append_index(struct name *name, Dwarf_Word index)
{
    char word[32];
    snprintf(word, sizeof word, "[%lu]", (unsigned long)index);
    append(name, word);
}

static bool member_at(Dwarf_Die *type, Dwarf_Word *offset, Dwarf_Die *member)
{
    if (dwarf_child(type, member))
        return false;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Word start = 0, size;
        Dwarf_Die inner;
        if (dwarf_tag(member) != DW_TAG_member || !type_of(member, &inner) || dwarf_aggregate_size(&inner, &size))
            continue;
        if (dwarf_attr(member, DW_AT_data_member_location, &attribute) && dwarf_formudata(&attribute, &start))
            continue;
        if (*offset < start || *offset - start >= size)
            continue;
        *offset -= start;
        return true;
    } while (dwarf_siblingof(member, member) == 0);
    return false;
}

static bool go_into_array(struct name *name, Dwarf_Die *type, Dwarf_Word *offset)
{
    Dwarf_Die element;
    Dwarf_Word size;
    if (!type_of(type, &element) || dwarf_aggregate_size(&element, &size) || size == 0)
        return false;
    append_index(name, *offset / size);
    *offset %= size;
    *type = element;
    return true;
}

static bool go_into_struct(struct name *name, Dwarf_Die *type, Dwarf_Word *offset, const char **joint)
{
    Dwarf_Die member;
    if (!member_at(type, offset, &member))
        return false;
    const char *word = dwarf_diename(&member);
    if (word) {
        append(name, *joint);
        append(name, word);
        name->is_path = true;
        *joint = ".";
    }
    return type_of(&member, type);
}

/* Appends the path to `offset` within `type`, as deep as it goes. */
static void walk(struct name *name, Dwarf_Die type, Dwarf_Word offset, const char *joint)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        if (!peel(&type))
            return;
        int tag = dwarf_tag(&type);
        bool goes_on = tag == DW_TAG_array_type ? go_into_array(name, &type, &offset)
                       : tag == DW_TAG_structure_type || tag == DW_TAG_union_type
                           ? go_into_struct(name, &type, &offset, &joint)
                           : false;
        if (!goes_on) {
            name->kind = kind_of(&type);
            return;
        }
    }
}

/* ---- variables of the program ------------------------------------------------------------------------------------ */

static bool static_address(Dwarf_Die *die, Dwarf_Addr *start)
{
    Dwarf_Attribute attribute, of_address;
    Dwarf_Op *operations;
    size_t n;
    if (!dwarf_attr_integrate(die, DW_AT_location, &attribute) || dwarf_getlocation(&attribute, &operations, &n) ||
        n != 1)
        return false;
    if (operations->atom == DW_OP_addr) {
        *start = operations->number;
        return true;
    }
    return operations->atom == DW_OP_addrx && dwarf_getlocation_attr(&attribute, operations, &of_address) == 0 &&
           dwarf_formaddr(&of_address, start) == 0;
}

static void note_variable(Dwarf_Die *die)
{
    struct variable variable = {.die = *die};
    Dwarf_Die type;
    if (!static_address(die, &variable.start) || !type_of(die, &type) || dwarf_aggregate_size(&type, &variable.size))
        return;
    if (names.variables_n == names.variables_room) {
        size_t room = names.variables_room ? names.variables_room * 2 : 64;
        struct variable *larger = realloc(names.variables, room * sizeof *larger);
        if (!larger)
            return; /* a name fewer */
        names.variables = larger;
        names.variables_room = room;
    }
    names.variables[names.variables_n++] = variable;
}

static void note_variables_below(Dwarf_Die *parent, unsigned depth)
{
    Dwarf_Die die;
    if (depth > DEPTH_MAX || dwarf_child(parent, &die))
        return;
    do {
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_variable)
            note_variable(&die);
        else if (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block)
            note_variables_below(&die, depth + 1);
    } while (dwarf_siblingof(&die, &die) == 0);
}

static void read_variables(void)
{
    Dwarf_Off at = 0, next;
    size_t head;
    Dwarf *dwarf = lines_dwarf();
    names.is_read = true;
    names.objects = calloc(OBJECTS_MAX, sizeof *names.objects);
    for (; dwarf && dwarf_nextcu(dwarf, at, &next, &head, NULL, NULL, NULL) == 0; at = next) {
        Dwarf_Die unit;
        if (dwarf_offdie(dwarf, at + head, &unit))
            note_variables_below(&unit, 0);
    }
}

static bool name_static(const void *address, struct name *name)
{
    Dwarf_Addr wanted = (Dwarf_Addr)((size_t)address - lines_base());
    for (size_t i = 0; i < names.variables_n; i++) {
        struct variable *variable = &names.variables[i];
        Dwarf_Die type;
        const char *word = dwarf_diename(&variable->die);
        if (wanted < variable->start || wanted - variable->start >= variable->size || !word)
            continue;
        append(name, word);
        if (type_of(&variable->die, &type))
            walk(name, type, wanted - variable->start, ".");
        return true;
    }
    return false;
}

/* ---- blocks of the heap ------------------------------------------------------------------------------------------ */

/* The struct that a variable points to (a parameter of the kind `struct thing **made`, too). */
static bool struct_behind(Dwarf_Die *variable, Dwarf_Die *type)
{
    if (!type_of(variable, type) || !peel(type))
        return false;
    unsigned pointers = 0;
    for (; dwarf_tag(type) == DW_TAG_pointer_type && pointers < 2; pointers++)
        if (!type_of(type, type) || !peel(type))
            return false;
    return pointers > 0 && dwarf_tag(type) == DW_TAG_structure_type && dwarf_diename(type);
}

/* What a line of code assigns an allocation to: `thing = malloc(…)`, `thing->list = calloc(…)`. */
struct assigned {
    char name[64]; /* the variable or the member; "" where the line does not say */
    bool is_member;
};

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct assigned assigned_in(const char *line)
{
    struct assigned assigned = {"", false};
    const char *call = strstr(line, "alloc("), *equals = call;
    while (equals && equals > line && *equals != '=')
        equals--;
    if (!equals || equals == line || strchr("=!<>+-*/%&|^", equals[-1]))
        return assigned;
    const char *end = equals;
    while (end > line && isspace((unsigned char)end[-1]))
        end--;
    const char *start = end;
    while (start > line && in_name(start[-1]))
        start--;
    if (start == end || (size_t)(end - start) >= sizeof assigned.name)
        return assigned;
    memcpy(assigned.name, start, (size_t)(end - start));
    assigned.is_member = start > line && (start[-1] == '.' || start[-1] == '>');
    return assigned;
}

/* A search for the struct of a block, among the pointers of the function that allocates it. */
struct block_search {
    Dwarf_Word size;
    struct assigned assigned;
    Dwarf_Die type;
    bool found, is_other; /* found a struct; found that it is something else, or may be one of two */
};

/* Takes `candidate` where it fits the block: false where it contradicts the one that was found. */
static bool agree(struct block_search *search, Dwarf_Die *candidate)
{
    Dwarf_Word one;
    if (dwarf_aggregate_size(candidate, &one) || one == 0 || search->size % one)
        return true;
    if (search->found && strcmp(dwarf_diename(candidate), dwarf_diename(&search->type)) != 0)
        return false;
    search->type = *candidate;
    search->found = true;
    return true;
}

/* Whether this pointer may point to anything: then its type says nothing. */
static bool points_to_anything(Dwarf_Die *variable)
{
    Dwarf_Die type;
    return !type_of(variable, &type) || !peel(&type) ||
           (dwarf_tag(&type) == DW_TAG_pointer_type && (!type_of(&type, &type) || !peel(&type)));
}

/* A pointer that the line names, in this scope or as a member of a struct that something here points to. */
static void look_for_assigned(struct block_search *search, Dwarf_Die *die)
{
    const char *name = dwarf_diename(die);
    Dwarf_Die candidate;
    if (!name || strcmp(name, search->assigned.name) != 0)
        return;
    if (struct_behind(die, &candidate) ? !agree(search, &candidate) : !points_to_anything(die))
        search->is_other = true;
}

/* Of the struct behind the variable, and (`deeper` times) of those behind its members. */
static void look_in_members(struct block_search *search, Dwarf_Die *variable, int deeper)
{
    Dwarf_Die type, member;
    if (!struct_behind(variable, &type) || dwarf_child(&type, &member))
        return;
    do {
        if (dwarf_tag(&member) != DW_TAG_member)
            continue;
        look_for_assigned(search, &member);
        if (deeper > 0)
            look_in_members(search, &member, deeper - 1);
    } while (dwarf_siblingof(&member, &member) == 0);
}

/* False where two pointers contradict each other. `by_line`: only what the line of the allocation names counts. */
static bool look_in_scope(struct block_search *search, Dwarf_Die *scope, bool by_line)
{
    Dwarf_Die die, candidate;
    if (dwarf_child(scope, &die))
        return true;
    do {
        int tag = dwarf_tag(&die);
        if (tag != DW_TAG_variable && tag != DW_TAG_formal_parameter)
            continue;
        if (by_line && search->assigned.is_member)
            look_in_members(search, &die, 1);
        else if (by_line)
            look_for_assigned(search, &die);
        else if (struct_behind(&die, &candidate) && !agree(search, &candidate))
            return false;
    } while (dwarf_siblingof(&die, &die) == 0);
    return true;
}

/* All scopes around the call, from the inside; by the line, the whole file's variables too. */
static bool look_around(struct block_search *search, Dwarf_Die *scopes, int n, bool by_line)
{
    bool agreed = true;
    for (int i = 0; i < n && agreed; i++) {
        if (dwarf_tag(&scopes[i]) == DW_TAG_compile_unit && !by_line) /* too many, where nothing says which */
            break;
        Dwarf_Attribute attribute;
        Dwarf_Die origin;
        agreed = look_in_scope(search, &scopes[i], by_line);
        if (agreed && !search->found && dwarf_attr(&scopes[i], DW_AT_abstract_origin, &attribute) &&
            dwarf_formref_die(&attribute, &origin))
            agreed = look_in_scope(search, &origin, by_line);
    }
    return agreed;
}

/* The type of a block that was allocated at `pc`: that of the pointer which the line there assigns, else the only one
 * that the pointers in the function there allow. */
static bool block_type(const void *pc, Dwarf_Word size, Dwarf_Die *type)
{
    Dwarf_Die unit, *scopes = NULL;
    Dwarf_Addr at = (Dwarf_Addr)((size_t)pc - 1 - lines_base());
    struct block_search search = {.size = size};
    struct place place;
    if (!lines_unit(at, &unit))
        return false;
    if (lines_place(pc, &place))
        search.assigned = assigned_in(place.text);
    int n = dwarf_getscopes(&unit, at, &scopes);
    bool agreed = search.assigned.name[0] == '\0' || look_around(&search, scopes, n, true);
    if (!search.found && !search.is_other)
        agreed = look_around(&search, scopes, n, false);
    free(scopes);
    *type = search.type;
    return search.found && agreed && !search.is_other;
}

static bool name_block(const void *address, struct name *name)
{
    size_t offset, size;
    const void *pc;
    int freed_by;
    struct place place;
    Dwarf_Die type;
    Dwarf_Word one;
    if (!heap_describe(address, &offset, &size, &pc, &freed_by))
        return false;
    if (offset < size && block_type(pc, size, &type) && dwarf_aggregate_size(&type, &one) == 0) {
        append(name, dwarf_diename(&type));
        if (size > one)
            append_index(name, offset / one);
        walk(name, type, offset % one, size > one ? "." : "->");
        return true;
    }
    lines_place(pc, &place);
    snprintf(name->text, sizeof name->text, "byte %zu of the %zu from line %d", offset, size, place.line);
    return false;
}

/* ---- variables on a stack ---------------------------------------------------------------------------------------- */

/* Where a frame's variables are counted from. The frame pointer lies two words below the frame's end (x86-64; our
 * programs are compiled with frame pointers). */
static bool frame_base(Dwarf_Die *function, const char *top, const char **base)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t n;
    if (!dwarf_attr_integrate(function, DW_AT_frame_base, &attribute) ||
        dwarf_getlocation(&attribute, &operations, &n) || n != 1)
        return false;
    if (operations->atom == DW_OP_call_frame_cfa)
        *base = top;
    else if (operations->atom == DW_OP_reg6)
        *base = top - 16;
    else
        return false;
    return true;
}

static bool name_in_scope(Dwarf_Die *scope, const char *base, const char *address, struct name *name)
{
    Dwarf_Die die, type;
    if (dwarf_child(scope, &die))
        return false;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Op *operations;
        Dwarf_Word size;
        size_t n;
        int tag = dwarf_tag(&die);
        if ((tag != DW_TAG_variable && tag != DW_TAG_formal_parameter) || !dwarf_diename(&die) ||
            !dwarf_attr_integrate(&die, DW_AT_location, &attribute) || dwarf_getlocation(&attribute, &operations, &n) ||
            n != 1 || operations->atom != DW_OP_fbreg || !type_of(&die, &type) || dwarf_aggregate_size(&type, &size))
            continue;
        const char *start = base + (ptrdiff_t)operations->number;
        if (address < start || (size_t)(address - start) >= size)
            continue;
        append(name, dwarf_diename(&die));
        walk(name, type, (Dwarf_Word)(address - start), ".");
        return true;
    } while (dwarf_siblingof(&die, &die) == 0);
    return false;
}

static bool name_in_frame(const struct frame *frame, const char *address, struct name *name)
{
    Dwarf_Die unit, *scopes = NULL;
    Dwarf_Addr at = (Dwarf_Addr)((size_t)frame->pc - 1 - lines_base());
    const char *base;
    bool found = false, has_base = false;
    if (!lines_unit(at, &unit))
        return false;
    int n = dwarf_getscopes(&unit, at, &scopes);
    for (int i = 0; i < n && !has_base; i++)
        has_base = dwarf_tag(&scopes[i]) == DW_TAG_subprogram && frame_base(&scopes[i], frame->top, &base);
    for (int i = 0; i < n && has_base && !found && dwarf_tag(&scopes[i]) != DW_TAG_compile_unit; i++)
        found = name_in_scope(&scopes[i], base, address, name);
    free(scopes);
    return found;
}

/* In the frame whose end is the first above the address, among those of any row. */
static bool name_local(const char *address, struct name *name)
{
    int stack = memory_stack_of(address);
    const struct frame *nearest = NULL;
    if (stack < 0)
        return false;
    for (unsigned i = 0; i < record.n; i++) {
        const struct row *row = &record.rows[i];
        for (unsigned k = 0; row->thread == stack && k < row->frames_n; k++) {
            const char *top = row->frames[k].top;
            if (top > address && (!nearest || top < (const char *)nearest->top) && memory_stack_of(top - 1) == stack)
                nearest = &row->frames[k];
        }
    }
    if (nearest && name_in_frame(nearest, address, name))
        return true;
    snprintf(name->text, sizeof name->text, "a variable of %s", il_name(stack));
    return false;
}

/* ---- all together ------------------------------------------------------------------------------------------------ */

static void name_it(const void *address, struct name *name)
{
    if (memory_in_data(address))
        name->is_known = name_static(address, name);
    else if (memory_in_arena(address))
        name->is_known = name_block(address, name);
    else if (memory_stack_of(address) >= 0)
        name->is_known = name_local(address, name);
    if (!name->text[0])
        name->is_known = lines_symbol(address, name->text, sizeof name->text);
}

static struct object *object_of(const void *address)
{
    static struct object none;
    if (!names.is_read)
        read_variables();
    for (unsigned i = 0; i < names.objects_n; i++)
        if (names.objects[i].address == address)
            return &names.objects[i];
    if (!names.objects || names.objects_n >= OBJECTS_MAX)
        return &none;
    struct object *object = &names.objects[names.objects_n++];
    object->address = address;
    name_it(address, &object->name);
    return object;
}

const struct name *names_of(const void *address)
{
    return &object_of(address)->name;
}

unsigned names_number(const void *address)
{
    return (unsigned)(object_of(address) - names.objects) + 1;
}

/* The expression in `line` that ends in the field `field`, as `q->count`: its beginning, or NULL. */
static const char *expression(const char *line, const char *field, size_t *length)
{
    size_t size = strlen(field);
    for (const char *at = line; (at = strstr(at, field)) != NULL; at++) {
        const char *start = at;
        if (in_name(at[size]))
            continue;
        bool is_field =
            start > line && (start[-1] == '.' || (start - 1 > line && start[-1] == '>' && start[-2] == '-'));
        while (is_field && start > line &&
               (in_name(start[-1]) || strchr(".[]", start[-1]) ||
                (start[-1] == '>' && start - 1 > line && start[-2] == '-') || (start[-1] == '-' && *start == '>')))
            start--;
        if (!is_field || start == at)
            continue;
        *length = (size_t)(at - start) + size;
        return start;
    }
    return NULL;
}

/* The block that a line gives back: `free(thing->list);` and nothing else. NULL where it is not so plain. */
static const char *given_back(const char *line, size_t *length)
{
    static const char call[] = "free(";
    const char *start = line + sizeof call - 1, *end = start;
    if (strncmp(line, call, sizeof call - 1) != 0)
        return NULL;
    while (in_name(*end) || strchr("->.[]", *end ? *end : ' '))
        end++;
    *length = (size_t)(end - start);
    return end > start && strcmp(end, ");") == 0 ? start : NULL;
}

/* Does another object have the same name? Then its number among them, from 1 on; or 0. */
static unsigned ambiguity(const struct object *object)
{
    unsigned same = 0, mine = 0;
    for (unsigned i = 0; i < names.objects_n; i++) {
        if (strcmp(names.objects[i].name.text, object->name.text) != 0)
            continue;
        same++;
        if (&names.objects[i] == object)
            mine = same;
    }
    return same > 1 ? mine : 0;
}

void names_in_line(const void *address, const void *pc, char *text, size_t size)
{
    struct place place;
    const struct object *object = object_of(address);
    const char *whole = object->name.text, *dot = strrchr(whole, '.'), *arrow = strrchr(whole, '>');
    const char *field = dot > arrow || !arrow ? dot : arrow;
    size_t length = 0;
    const char *said = NULL;
    if (object->name.is_path && field && lines_place(pc, &place)) {
        said = given_back(place.text, &length);
        said = said ? said : expression(place.text, field + 1, &length);
    }
    unsigned number = memory_in_arena(address) ? ambiguity(object) : 0;
    int written = said ? snprintf(text, size, "%.*s", (int)length, said) : snprintf(text, size, "%s", whole);
    if (number && written >= 0 && (size_t)written < size)
        snprintf(text + written, size - (size_t)written, " #%u", number);
}

static int64_t extend(uint64_t value, unsigned size)
{
    unsigned shift = size < 8 ? 64 - 8 * size : 0;
    return (int64_t)(value << shift) >> shift;
}

static bool is_address(uint64_t value)
{
    const void *at = (const void *)(uintptr_t)value; /* NOLINT(performance-no-int-to-ptr) */
    return memory_in_arena(at) || memory_in_data(at) || memory_stack_of(at) >= 0;
}

static double as_number(unsigned size, uint64_t value)
{
    float small;
    double large;
    uint32_t half = (uint32_t)value;
    memcpy(&small, &half, sizeof small);
    memcpy(&large, &value, sizeof large);
    return size == sizeof small ? (double)small : large;
}

void names_value(const void *address, unsigned size, uint64_t value, char *text, size_t room)
{
    enum name_kind kind = names_of(address)->kind;
    if (kind == NAME_POINTER || (size == 8 && is_address(value)))
        snprintf(text, room, "%s", value ? "an address" : "NULL");
    else if (kind == NAME_BOOL)
        snprintf(text, room, "%s", value ? "true" : "false");
    else if (kind == NAME_CHAR && value >= ' ' && value < 127)
        snprintf(text, room, "'%c'", (char)value);
    else if (kind == NAME_UNSIGNED)
        snprintf(text, room, "%" PRIu64, value);
    else if (kind == NAME_FLOAT)
        snprintf(text, room, "%g", as_number(size, value));
    else
        snprintf(text, room, "%" PRId64, extend(value, size));
}
