// Jump tables, computed goto, setjmp, varargs, recursion, tail calls.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static jmp_buf back;
int depth;

int choose(int k, int x) {
    switch (k) {
    case 0: return x + 1;
    case 1: return x * 3;
    case 2: return x ^ 0x55;
    case 3: return printf("three\n");
    case 4: return -x;
    case 5: return x << 2;
    case 6: depth++; return depth;
    case 7: return x % 7;
    }
    return 0;
}

const char *color(int k) {
    switch (k) {
    case 0: return "red";
    case 1: return "green";
    case 2: return "blue";
    case 3: return "cyan";
    case 4: return "black";
    case 5: return "white";
    }
    return "none";
}

int interpret(const unsigned char *code) {
    static const void *const table[] = {&&add, &&sub, &&twice, &&end};
    int value = 1;
    goto *table[*code++];
add:
    value += *code++;
    goto *table[*code++];
sub:
    value -= *code++;
    goto *table[*code++];
twice:
    value *= 2;
    goto *table[*code++];
end:
    return value;
}

int sum(int count, ...) {
    va_list list;
    va_start(list, count);
    int total = 0;
    while (count--) total += va_arg(list, int);
    va_end(list);
    return total;
}

double mean(int count, ...) {
    va_list list;
    va_start(list, count);
    double total = 0;
    for (int i = 0; i < count; i++) total += va_arg(list, double);
    va_end(list);
    return total / count;
}

__attribute__((noinline)) void deep(int n) {
    if (n > 5) longjmp(back, n);
    depth++;
    deep(n + 1);
}

int guarded(void) {
    volatile int before = 4;
    int how = setjmp(back);
    if (how) return how + before;
    before = 5;
    deep(0);
    return -1;
}

unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int odd(unsigned n);
int even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }
int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }

__attribute__((cold, noreturn)) void die(const char *why) {
    printf("dies: %s\n", why);
    exit(3);
}

int checked(int x) {
    if (__builtin_expect(x < 0, 0)) die("negative");
    return x * 2;
}

int main(int argc, char **argv) {
    const unsigned char code[] = {0, 5, 2, 1, 3, 2, 3};
    for (int k = 0; k < 9; k++) printf("%d %s\n", choose(k, argc + k), color(k));
    printf("%d\n", interpret(code));
    printf("%d %.3f\n", sum(4, 1, 2, 3, argc), mean(3, 1.5, 2.5, (double)argc));
    printf("%d ", guarded());
    printf("%d\n", depth);
    printf("%u %d %d\n", fib(15), even(10), odd(argc));
    printf("%d\n", checked(21));
    return checked(argc > 9 ? -1 : argc);
}
