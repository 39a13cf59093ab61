/* ---- random numbers: those of a trial depend on seed and trial alone ---- */

static u64 state;

static u64 next(void)
{
    u64 z = (state += 0x9e3779b97f4a7c15u); /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static u64 below(u64 limit) { return (u64)(((unsigned __int128)next() * limit) >> 64); }

static u64 edge(unsigned bits) /* 0, 1, -1, INT_MIN, INT_MAX, widths' edges, powers of two +-1 */
{
    static const unsigned widths[] = {8, 16, 32, 64};
    u64 unit = next();
    switch (unit & 3) {
    case 0: return (u64)((int64_t)((unit >> 2) % 5) - 2);
    case 1: return ((u64)1 << (unit >> 2) % bits) + (u64)((int64_t)((unit >> 20) % 3) - 1);
    case 2: return ~((u64)1 << (unit >> 2) % bits) + (u64)((unit >> 20) % 3);
    default: {
        unsigned width = widths[(unit >> 2) % 4];
        if (width > bits) width = bits;
        return ((u64)1 << (width - 1)) - 1 + (u64)((unit >> 20) % 3) + ((unit >> 30) & 1 ? 0 : ((u64)1 << (width - 1)));
    }
    }
}

static u64 an_integer(unsigned bits)
{
    u64 kind = next();
    switch (kind & 7) {
    case 0: case 1: return edge(bits);
    case 2: return (kind >> 8) & 15;
    case 3: return SHAPE.magics ? MAGIC[(kind >> 8) % SHAPE.magics] + (u64)((int64_t)((kind >> 40) % 3) - 1) : next();
    case 4: return next() >> ((kind >> 8) & 63);
    case 5: return ~(next() >> ((kind >> 8) & 63));
    default: return next();
    }
}

/* Some of the first trials go through all combinations of these in four parameters: pairs such as INT_MIN and -1,
   at which a division faults, are no matter of chance. */
enum { EXTREMES = 6, COMBINATIONS = EXTREMES * EXTREMES * EXTREMES * EXTREMES, EVERY = 4 };

static u64 extreme(u64 which, unsigned bits)
{
    u64 least = (u64)1 << (bits - 1);
    switch (which) {
    case 0: return ~(u64)0;
    case 1: return least;
    case 2: return 0;
    case 3: return least - 1;
    case 4: return 1;
    default: return bits > 32 ? (u64)INT32_MIN : 2; /* what is divided in 32 bits after all */
    }
}

static u64 a_float(unsigned size)
{
    static const double plain[] = {0, 1, -1, 0.5, 1.5, 2, 3, -2.5, 10, 1e-3, 1e10, -1e10, 2147483647., 2147483648.,
                                   -2147483648., 4294967296., 9007199254740993., 9223372036854775808.};
    static const u64 special[] = {0, 0x8000000000000000u, 1, 0x8000000000000001u, 0x000fffffffffffffu,
                                  0x0010000000000000u, 0x7fefffffffffffffu, 0x7ff0000000000000u,
                                  0xfff0000000000000u, 0x7ff8000000000000u, 0xfff8000000000000u,
                                  0x7ff4000000000000u, 0x3ff0000000000001u, 0x3fefffffffffffffu};
    static const uint32_t special4[] = {0, 0x80000000u, 1, 0x80000001u, 0x007fffffu, 0x00800000u, 0x7f7fffffu,
                                        0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00000u, 0x7fa00000u,
                                        0x3f800001u, 0x3f7fffffu};
    u64 kind = next(), bits = next();
    double value = plain[(kind >> 8) % (sizeof plain / sizeof *plain)];
    if ((kind & 3) == 0)
        return size == 4 ? special4[(kind >> 8) % 14] : special[(kind >> 8) % 14];
    if ((kind & 3) == 2)
        value = (double)(int64_t)bits / (double)((u64)1 << ((kind >> 8) & 63));
    if ((kind & 3) == 3)
        return bits;
    if (size == 4) {
        float narrow = (float)value;
        uint32_t out;
        memcpy(&out, &narrow, 4);
        return out;
    }
    memcpy(&bits, &value, 8);
    return bits;
}

/* ---- an input ---- */

struct buffer { unsigned start, size; int at_end, constant, used; };
static struct buffer buffers[MOST_POINTERS];
static struct { u64 value; int buffer; unsigned offset; } values[MOST]; /* buffer -1: a number */
static char *area[MOST_POINTERS], *shown[MOST_POINTERS]; /* to be written, and the same read-only */
static char *before[MOST_POINTERS], *after[MOST_POINTERS];
static struct { unsigned start, size; } dirty[MOST_POINTERS];

/* Of a parameter: whether the original loops or indexes with it, and mostly faults if it is a null
   pointer, or if what it points to can only be read. Shared with the process that waits. */
static struct learnt { unsigned char counts, reads, writes; } *learnt;
static int counted; /* whether a parameter counts */
static u64 combination; /* of extremes: what is left of it for the parameters to come */
static int is_extreme;  /* whether the trial is one of a combination */
static unsigned terminated, joined; /* whether most buffers end with a zero; a pointer is the end of another */

static u64 element(const struct param *p, u64 mode)
{
    if (mode == 0) return 0;
    if (mode == 1) return next() & 3;
    if (p->element_kind == FLOATS) return a_float(p->element_size);
    return an_integer(p->element_size <= 8 ? 8u * p->element_size : 64u);
}

static void clear(unsigned index)
{
    memset(before[index] + dirty[index].start, 0x5a, dirty[index].size);
    dirty[index].size = 0;
}

static void fill(unsigned index, const struct param *p)
{
    struct buffer *b = &buffers[index];
    char *at = before[index] + b->start;
    u64 kind = next(), unit = p->element_size <= 8 ? p->element_size : 8;
    unsigned i = 0;
    if (kind & 1)
        for (; i + 8 <= b->size; i += 8) { u64 bits = next(); memcpy(at + i, &bits, 8); }
    else { /* a few numbers that are likely to matter, in any order */
        u64 some[4], which = 0;
        for (unsigned k = 0; k < 4; k++) some[k] = element(p, (kind >> 1) & 7);
        for (; i + unit <= b->size; i += (unsigned)unit, which >>= 2) {
            if (!which) which = next() | (u64)1 << 63;
            memcpy(at + i, &some[which & 3], unit);
        }
    }
    for (; i < b->size; i++) at[i] = (char)next();
    /* A string that ends where it can be read no further. */
    if ((kind & 16 || (terminated && kind & 224)) && b->size >= unit) memset(at + b->size - unit, 0, unit);
    dirty[index].start = b->start, dirty[index].size = b->size;
}

static int may_overlap(const struct param *p, const struct param *q)
{
    if (p->restricted || q->restricted) return 0;
    return p->any || q->any || (p->element_kind == q->element_kind && p->element_size == q->element_size);
}

static void place(unsigned i, u64 n, u64 most)
{
    const struct param *p = &PARAMS[i];
    u64 kind = next(), many = kind & (counted ? 15 : 3) ? n : below(most + 1);
    if (p->length) many = p->length;
    else if (p->element_kind == OBJECTS && kind & 4) many = 1;
    unsigned index = p->pointer, size = (unsigned)(many * p->element_size);
    if (size > SPAN) size = SPAN / p->element_size * p->element_size;
    struct buffer *b = &buffers[index];
    *b = (struct buffer){0, size, (kind >> 3) & 1, 0, 1};
    b->start = b->at_end ? SPAN - size : 0;
    b->constant = p->constant ? (kind >> 4) & 1 : ((kind >> 32) & (learnt[i].writes ? 255 : 7)) == 1;
    values[i].buffer = (int)index, values[i].offset = 0;
    if (((kind >> 40) & (learnt[i].reads ? 511 : 31)) == 0) { values[i].buffer = -1, values[i].value = 0; b->used = 0; return; }
    if (index && (joined || ((kind >> 16) & 3) == 0)) { /* in the buffer of a pointer before it */
        unsigned other = 0;
        for (u64 which = below(index), seen = 0;; other++)
            if (PARAMS[other].kind == POINTER && seen++ == which) break;
        if (values[other].buffer >= 0 && may_overlap(p, &PARAMS[other])) {
            /* One of the two begins later, and the buffer is large enough for it. */
            const struct param *q = &PARAMS[other];
            unsigned shared = (unsigned)values[other].buffer, unit = p->element_size > q->element_size ? p->element_size : q->element_size;
            struct buffer *o = &buffers[shared];
            unsigned step = !joined && (kind >> 20) & 3 ? unit * (unsigned)below((kind >> 22) & 1 ? n + 1 : 4) : 0;
            if (o->size + step > SPAN || values[other].offset) step = 0;
            clear(shared);
            o->size += step, o->start = o->at_end ? SPAN - o->size : 0;
            o->constant &= p->constant || ((kind >> 32) & (learnt[i].writes ? 255 : 7)) == 1;
            fill(shared, p);
            b->used = 0;
            values[i].buffer = (int)shared;
            if (!joined && (kind >> 23) & 1) values[other].offset = step;
            else if (joined || ((kind >> 30) & 3) == 0) values[i].offset = o->size; /* where the other one ends */
            else values[i].offset = step;
            return;
        }
    }
    fill(index, p);
}

static void number(unsigned i, u64 n)
{
    const struct param *p = &PARAMS[i];
    u64 kind = next(), value, mask = p->size < 8 ? ((u64)1 << (8 * p->size)) - 1 : ~(u64)0;
    values[i].buffer = -1;
    if (p->kind == FLOATS) value = a_float(p->size);
    else if (p->kind == BOOLS) value = next() & 1, mask = 255;
    else if (is_extreme && !learnt[i].counts) value = extreme(combination % EXTREMES, 8u * p->size), combination /= EXTREMES;
    else if (learnt[i].counts ? (kind & 31) != 1 : SHAPE.pointers && (kind & 3) == 3)
        switch ((kind >> 5) & 15) {
        case 0: value = (kind >> 14) & 3 ? n : (kind >> 13) & 1 ? n - 1 : n * SHAPE.biggest; break;
        case 1: case 2: case 3: value = below(n + 1); break;
        default: value = n;
        }
    else if (i && (kind & 28) == 0 && values[i - 1].buffer < 0) value = values[i - 1].value + ((kind >> 8) & 1);
    else value = an_integer(8u * p->size);
    /* No object is so large, and what its length times its elements' size is, has no meaning. */
    if (learnt[i].counts && p->size == 8) value = (u64)((int64_t)(value << 17) >> 17);
    if (learnt[i].counts && !SHAPE.pointers) value = (u64)((int64_t)value % 256);
    /* Bits beyond the type's are any. */
    u64 high = (kind >> 9) & 1 ? next() : (kind >> 10) & 1 ? ~(u64)0 : 0;
    values[i].value = (value & mask) | (high & ~mask);
}

static const unsigned LIMITS[] = {16, 4, 64, 256, 1024, SPAN}; /* elements of a buffer */
enum { KINDS = sizeof LIMITS / sizeof *LIMITS, LEVELS = 4 * KINDS };
static unsigned from[MOST_POINTERS], to[MOST_POINTERS]; /* what a call is likely to write to */
static int whole;                                      /* it may write to everything */

static void make_input(u64 seed, u64 trial, unsigned level)
{
    state = seed * 0xd1342543de82ef95u ^ trial * 0x2545f4914f6cdd1du;
    terminated = (level / KINDS) & 1, joined = (level / KINDS) >> 1;
    counted = 0;
    combination = trial / EVERY, is_extreme = trial % EVERY == 0 && combination < COMBINATIONS;
    for (unsigned i = 0; i < SHAPE.count; i++) counted |= learnt[i].counts;
    u64 most = LIMITS[level % KINDS], n = (next() & 3) ? below(most + 1) : below((most + 3) / 4 + 1);
    for (unsigned i = 0; i < SHAPE.pointers; i++) {
        clear(i);
        memset(area[i] + from[i], 0x5a, to[i] - from[i]); /* nothing is left of the trial before */
        buffers[i].used = 0;
    }
    for (unsigned i = 0; i < SHAPE.count; i++)
        if (PARAMS[i].kind == POINTER) place(i, n, most);
        else number(i, n);
    for (unsigned i = 0; i < SHAPE.pointers; i++) {
        struct buffer *b = &buffers[i];
        u64 end = b->start + NEAR + (b->size > n * SHAPE.biggest ? b->size : n * SHAPE.biggest);
        from[i] = whole || b->start < NEAR ? 0 : b->start - NEAR;
        to[i] = whole || end > SPAN ? SPAN : (unsigned)end;
        if (!whole && !b->used) from[i] = to[i] = 0;
    }
}

