/* Lines: the cache in front of all tables, which a hit reads and nothing else.

   A hash table with open addressing, of lines keyed by the generic function, the lookup, and the
   types of the arguments with their versions. The pointers in a key are compared, never followed:
   a pair of a type and its version is never used again, and the lines of a lookup end before
   another one can have its address. So a line needs no notice of a class that changes or dies. */

/* The table is emptied rather than to have more slots than this. */
#define MOST_SLOTS 8192

/* The version of a type, 0 if it has none just now. No two types ever have the same version, and
   each change gives a new one. */
#define VERSION_OF_TYPE(type) ((type)->tp_version_tag)

/* Whether the plans in some entries are still theirs, for all lines that were filled from these. */
typedef struct {
    int valid;
    Py_ssize_t owners;      /* the entries and the lines */
} Validity;

typedef struct {
    PyTypeObject *cls;      /* compared only, unless it is an abstract class */
    unsigned int version;   /* never 0 */
} VersionOfClass;

typedef struct {
    uint64_t generic;       /* the serial number of the generic function, or that of its entries */
    const void *lookup;     /* compared only */
    Validity *validity;     /* owned; as long as it is valid, so are the borrowed pointers here */
    PyObject *value;        /* the plan; without classes, the entries; borrowed */
    PyObject *watched;      /* of the call tables, borrowed; or NULL */
    uint64_t counts;        /* of the entries */
    unsigned long long token;   /* of the entries, if they have one */
    char has_token, has_checks;
    int arity, abstract;    /* how many types of arguments, and abstract classes behind them */
    VersionOfClass classes[];
} Line;

static struct {
    Line **slots;
    Py_ssize_t size, used;
} lines;


static inline size_t
mix(size_t hash, const void *pointer)
{
    /* Objects lie at multiples of 16. */
    return (hash ^ ((size_t)pointer >> 4)) * (size_t)0x9E3779B97F4A7C15ULL;
}

static inline size_t
slot_of(size_t hash, Py_ssize_t size)
{
    return (hash ^ (hash >> 29)) & (size_t)(size - 1);
}

static inline size_t
next_slot(size_t slot, Py_ssize_t size)
{
    return (slot + 1) & (size_t)(size - 1);
}

/* The size of a table that is then at most half full. */
static Py_ssize_t
fitting_size(Py_ssize_t used)
{
    Py_ssize_t size = 8;
    while (size < 2 * (used + 1)) {
        size *= 2;
    }
    return size;
}


/* ---- Validity ----------------------------------------------------------- */

static void  /* runs no Python */
release_validity(Validity *validity)
{
    if (--validity->owners == 0) {
        PyMem_Free(validity);
    }
}

/* End what entries share with their lines, if there are any. */
static void  /* runs no Python */
end_validity(Validity **shared)
{
    if (*shared != NULL) {
        (*shared)->valid = 0;
        release_validity(*shared);
        *shared = NULL;
    }
}

/* Begin what entries share with their lines; -1, without an error, if there is no memory. */
static int  /* runs no Python */
share_validity(Validity **shared)
{
    if (*shared == NULL && (*shared = PyMem_Malloc(sizeof(Validity))) != NULL) {
        (*shared)->valid = 1;
        (*shared)->owners = 1;
    }
    return *shared == NULL ? -1 : 0;
}


/* ---- Lines -------------------------------------------------------------- */

static void  /* runs no Python */
free_line(Line *line)
{
    if (line != NULL) {
        release_validity(line->validity);
        PyMem_Free(line);
    }
}

/* A line for classes that have versions, for the caller to fill; NULL, without an error, if there
   is no memory. */
static Line *  /* runs no Python */
new_line(Validity *validity, PyTypeObject *const *classes, Py_ssize_t arity, Py_ssize_t abstract)
{
    Line *line = PyMem_Malloc(sizeof(Line) + (size_t)(arity + abstract) * sizeof(VersionOfClass));
    if (line != NULL) {
        validity->owners++;
        line->validity = validity;
        line->arity = (int)arity;
        line->abstract = (int)abstract;
        for (Py_ssize_t i = 0; i < arity; i++) {
            line->classes[i] = (VersionOfClass){classes[i], VERSION_OF_TYPE(classes[i])};
        }
    }
    return line;
}

static inline size_t
first_slot(uint64_t generic, const void *lookup)
{
    return mix((size_t)generic * 64, lookup);
}

/* The valid line with this key, or NULL. */
static Py_ALWAYS_INLINE inline Line *  /* runs no Python */
find_line(uint64_t generic, const void *lookup, PyTypeObject *const *classes, Py_ssize_t arity)
{
    size_t hash = first_slot(generic, lookup);
    for (Py_ssize_t i = 0; i < arity; i++) {
        hash = mix(hash, classes[i]);
    }
    size_t slot = slot_of(hash, lines.size);
    Line *line;
    while ((line = lines.slots[slot]) != NULL) {
        if (line->generic == generic && line->lookup == lookup) {
            Py_ssize_t i = 0;
            while (i < arity && line->classes[i].cls == classes[i] &&
                   line->classes[i].version == VERSION_OF_TYPE(classes[i])) {
                i++;
            }
            if (i == arity) {
                return line->validity->valid ? line : NULL;
            }
        }
        slot = next_slot(slot, lines.size);
    }
    return NULL;
}

/* The slot for a line: that of an older one with the same key, of an invalid one, or a free one. */
static Line **  /* runs no Python */
slot_for(Line **slots, Py_ssize_t size, const Line *line)
{
    size_t hash = first_slot(line->generic, line->lookup);
    for (int i = 0; i < line->arity; i++) {
        hash = mix(hash, line->classes[i].cls);
    }
    size_t slot = slot_of(hash, size);
    for (;;) {
        Line *other = slots[slot];
        if (other == NULL || !other->validity->valid) {
            return &slots[slot];
        }
        if (other->generic == line->generic && other->lookup == line->lookup) {
            int i = 0;
            while (i < line->arity && other->classes[i].cls == line->classes[i].cls) {
                i++;
            }
            if (i == line->arity) {
                return &slots[slot];
            }
        }
        slot = next_slot(slot, size);
    }
}

/* Make room for another line. Those that are invalid go, and all of them if they are too many; -1,
   without an error, if there is no memory. */
static int  /* runs no Python */
make_room(void)
{
    Py_ssize_t valid = 0;
    for (Py_ssize_t i = 0; i < lines.size; i++) {
        valid += lines.slots[i] != NULL && lines.slots[i]->validity->valid;
    }
    Py_ssize_t size = fitting_size(valid + valid / 2 + 100);
    int keeps = size <= MOST_SLOTS;
    size = keeps ? size : MOST_SLOTS;
    Line **slots = PyMem_Calloc((size_t)size, sizeof(Line *));
    if (slots == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < lines.size; i++) {
        Line *line = lines.slots[i];
        if (keeps && line != NULL && line->validity->valid) {
            *slot_for(slots, size, line) = line;
        }
        else {
            free_line(line);
        }
    }
    PyMem_Free(lines.slots);
    lines.slots = slots;
    lines.size = size;
    lines.used = keeps ? valid : 0;
    return 0;
}

static void  /* runs no Python */
put_line(Line *line)
{
    if (5 * lines.used >= 2 * lines.size && make_room() < 0) {
        free_line(line);
        return;
    }
    Line **slot = slot_for(lines.slots, lines.size, line);
    lines.used += *slot == NULL;
    free_line(*slot);
    *slot = line;
}
