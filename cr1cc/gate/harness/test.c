/* ---- many pairs ---- */

static int goes(u64 garbage) /* whether the original takes the input that is made */
{
    restore();
    memcpy(stack + STACK - ABOVE, CALLERS, ABOVE);
    call(cr1_original, garbage, PATIENCE);
    answer->hangs += M.fault == SIGVTALRM;
    return !M.fault && broken() == EQUAL;
}

static unsigned best_level(u64 seed) /* at which the original faults least */
{
    unsigned best = 0, most = 0;
    for (unsigned level = 0; level < (SHAPE.pointers ? LEVELS : 1) && most < TRIES / 16 * 15; level++) {
        unsigned good = 0;
        for (u64 trial = 0; trial < TRIES && answer->hangs < HANGS; trial++) {
            make_input(seed, ~trial, level);
            good += (unsigned)goes(0x3333333333333333u);
        }
        if (good > most + most / 16) best = level, most = good;
    }
    return best;
}

/* How many the original takes of FORCED inputs in which one argument is forced; -1: it hangs. */
enum { HUGE_NUMBER, NULL_POINTER, CONSTANT };

static int takes(u64 seed, unsigned i, int what)
{
    const struct param *p = &PARAMS[i];
    int taken = 0;
    for (u64 trial = 0; trial < FORCED; trial++) {
        make_input(seed, ~trial, answer->level);
        if (what == HUGE_NUMBER) values[i].value = p->size == 8 ? ((u64)1 << 40) + (next() & 0xffffff) : 0x7fffffffu - (next() & 0xffff);
        else if (what == NULL_POINTER) values[i].buffer = -1, values[i].value = 0;
        else if (values[i].buffer >= 0) buffers[values[i].buffer].constant = 1;
        u64 hangs = answer->hangs;
        taken += goes(0x3333333333333333u);
        if (answer->hangs > hangs) { answer->hangs = hangs; return -1; }
    }
    return taken;
}

static void learn_of(u64 seed, unsigned i)
{
    if (PARAMS[i].kind == POINTER) {
        learnt[i].reads = takes(seed, i, NULL_POINTER) < FORCED / 2;
        learnt[i].writes = takes(seed, i, CONSTANT) < FORCED / 2;
    } else if (PARAMS[i].kind == INTEGERS && PARAMS[i].size >= 4)
        learnt[i].counts = takes(seed, i, HUGE_NUMBER) < (SHAPE.pointers ? 1 : 0);
}

static void learn(u64 seed)
{
    whole = 1;
    for (unsigned round = 0; round < 2; round++) {
        answer->level = best_level(seed);
        for (unsigned i = 0; i < SHAPE.count && answer->hangs < HANGS; i++) learn_of(seed, i);
        if (answer->hangs < HANGS) continue;
        /* It takes long: it may count without memory, and then small numbers are what it takes. */
        for (unsigned i = 0; i < SHAPE.count; i++) learnt[i].counts |= PARAMS[i].kind == INTEGERS && PARAMS[i].size >= 4;
        answer->hangs = 0;
    }
    whole = 0;
    strayed();
}

static void test(u64 seed, u64 pairs)
{
    learn(seed);
    u64 first = 0, done = 0, nothing = 0; /* of the block: what was so far */
    for (u64 trial = 0;; trial++) {
        int enough = answer->pairs >= pairs || answer->nothing > 4 * answer->pairs + 20000 || answer->hangs >= HANGS;
        if (trial % BLOCK == 0 || enough || answer->verdict == DIFFERENT) {
            if (!whole && trial && strayed()) { /* the block again, and all that is written looked at */
                whole = 1, trial = first, answer->pairs = done, answer->nothing = nothing;
                answer->verdict = EQUAL, enough = 0;
            }
            if (enough || answer->verdict == DIFFERENT) return;
            first = trial, done = answer->pairs, nothing = answer->nothing;
        }
        answer->trial = trial;
        make_input(seed, trial, answer->level);
        int found = compared();
        answer->verdict = found == DIFFERENT ? DIFFERENT : EQUAL;
        answer->pairs += found == EQUAL;
        answer->nothing += found == NOTHING;
        answer->hangs += found == HUNG;
    }
}

