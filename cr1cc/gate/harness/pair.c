/* ---- a pair of calls ---- */

/* Shared with the process that waits: what it says if this one dies. */
static volatile struct answer { int verdict, in_new; unsigned level; u64 trial, pairs, nothing, hangs; char reason[160]; } *answer;

static void call(void (*body)(void), u64 garbage, int limit)
{
    u64 *slots = (u64 *)(stack + STACK - ABOVE) - SHAPE.slots - (SHAPE.slots & 1);
    memset((char *)slots - BELOW, (int)garbage, BELOW);
    M.function = (u64)(uintptr_t)body, M.stack = (u64)(uintptr_t)slots, M.mxcsr = 0x1f80, M.fault = 0;
    for (unsigned i = 0; i < 9; i++) M.garbage[i] = garbage *= 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < 6; i++) M.gp[i] = M.garbage[i] + 1;
    for (unsigned i = 0; i < 8; i++) M.xmm[i][0] = M.xmm[i][1] = M.garbage[i] ^ 0x0123456789abcdefu;
    for (unsigned i = 0; i < SHAPE.count; i++) {
        u64 value = values[i].value;
        int index = values[i].buffer;
        if (index >= 0)
            value = (u64)(uintptr_t)((buffers[index].constant ? shown : area)[index] + buffers[index].start + values[i].offset);
        unsigned where = PARAMS[i].place;
        if (where < 6) M.gp[where] = value;
        else if (where < 16) M.xmm[where - 6][0] = value;
        else slots[where - 16] = value;
    }
    ticks = 0, patience = limit;
    answer->in_new = body == cr1_new;
    in_call = 1;
    cr1_call();
    in_call = 0;
}

static void restore(void)
{
    for (unsigned i = 0; i < SHAPE.pointers; i++) memcpy(area[i] + from[i], before[i] + from[i], to[i] - from[i]);
}

static int say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int say(const char *format, ...)
{
    __builtin_va_list list;
    __builtin_va_start(list, format);
    vsnprintf((char *)answer->reason, sizeof answer->reason, format, list);
    __builtin_va_end(list);
    return DIFFERENT;
}

static const char *NAMES[] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};

static char CALLERS[ABOVE]; /* what the caller's frame holds */

static int broken(void) /* what the ABI says of every function, whatever the original does */
{
    for (unsigned i = 0; i < 6; i++)
        if (M.saved[i] != M.garbage[i + 3]) return say("%%%s has another value at the end than at the beginning", NAMES[i]);
    if (M.rsp != M.stack) return say("the stack pointer is off by %ld at the end", (long)(M.rsp - M.stack));
    if (M.flags & 0x400) return say("the direction flag is set at the end");
    if ((M.mxcsr_after & 0xffc0) != 0x1f80) return say("MXCSR is %#x at the end, not 0x1f80", (unsigned)M.mxcsr_after & 0xffc0);
    if (memcmp(stack + STACK - ABOVE, CALLERS, ABOVE)) return say("the frame of the caller is written to");
    return EQUAL;
}

static u64 result(void) { return SHAPE.is_float ? M.xmm0 : M.rax; }

static int compared(void)
{
    restore();
    memcpy(stack + STACK - ABOVE, CALLERS, ABOVE);
    call(cr1_original, 0x1111111111111111u * 3, PATIENCE);
    if (M.fault == SIGVTALRM) return HUNG;
    if (M.fault || broken() != EQUAL) return NOTHING;
    u64 wanted = result() & SHAPE.mask;
    for (unsigned i = 0; i < SHAPE.pointers; i++) memcpy(after[i] + from[i], area[i] + from[i], to[i] - from[i]);
    restore();
    call(cr1_new, 0x7777777777777777u + 4, PATIENCE_NEW);
    if (M.fault == SIGVTALRM) return say("it does not end");
    if (M.fault) return say("it faults (%s), and the original does not", sigabbrev_np((int)M.fault));
    if (broken() != EQUAL) return DIFFERENT;
    u64 found = result() & SHAPE.mask;
    if (found != wanted) return say("it returns %#lx, not %#lx", (unsigned long)found, (unsigned long)wanted);
    for (unsigned i = 0; i < SHAPE.pointers; i++)
        if (memcmp(after[i] + from[i], area[i] + from[i], to[i] - from[i])) {
            unsigned at = from[i];
            while (after[i][at] == area[i][at]) at++;
            return say("byte %ld of %c is %#x, not %#x", (long)at - (long)buffers[i].start, 'A' + (int)i,
                       (unsigned char)area[i][at], (unsigned char)after[i][at]);
        }
    return EQUAL;
}

/* Whether something was written that is not near the buffers; then it is written over again. */
static int strayed(void)
{
    int found = 0;
    restore();
    for (unsigned i = 0; i < SHAPE.pointers; i++)
        if (memcmp(area[i], before[i], SPAN)) memcpy(area[i], before[i], SPAN), found = 1;
    return found;
}

static void show_input(void)
{
    for (unsigned i = 0; i < SHAPE.pointers; i++) {
        printf("buffer %d %d ", buffers[i].at_end, buffers[i].constant);
        for (unsigned k = 0; buffers[i].used && k < buffers[i].size; k++)
            printf("%02x", (unsigned char)before[i][buffers[i].start + k]);
        printf("-\n");
    }
    for (unsigned i = 0; i < SHAPE.count; i++)
        printf("value %d %lx\n", values[i].buffer, (unsigned long)(values[i].buffer < 0 ? values[i].value : values[i].offset));
}

static int read_input(void)
{
    static char text[2 * SPAN + 2];
    for (unsigned i = 0; i < SHAPE.pointers; i++) {
        if (scanf(" buffer %d %d %8193[0-9a-f-]", &buffers[i].at_end, &buffers[i].constant, text) != 3) return 0;
        unsigned size = (unsigned)strspn(text, "0123456789abcdef") / 2;
        buffers[i].used = 1, buffers[i].size = size, buffers[i].start = buffers[i].at_end ? SPAN - size : 0;
        for (unsigned k = 0; k < size; k++) sscanf(text + 2 * k, "%2hhx", (unsigned char *)before[i] + buffers[i].start + k);
    }
    for (unsigned i = 0; i < SHAPE.count; i++) {
        unsigned long value;
        if (scanf(" value %d %lx", &values[i].buffer, &value) != 2 || values[i].buffer >= (int)SHAPE.pointers) return 0;
        values[i].value = value, values[i].offset = (unsigned)value;
    }
    return 1;
}

