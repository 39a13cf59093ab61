// Aliases, weak and hidden symbols, constructors, thread-local and common data, ifunc, sections.
#include <stdio.h>

static int order[4], count;
__thread int per_thread = 4;
static __thread int counter;
int shared_by_all;
int tentative;
__attribute__((visibility("hidden"))) int hidden_value = 9;
__attribute__((weak)) int weak_value = 8;
extern int maybe(void) __attribute__((weak));
__attribute__((section("my_data"))) int placed = 77;
__attribute__((section(".data.rel.ro.mine"))) const int read_only_placed = 12;
static const char *const pointer_to_name = "pointed";
const char *const *pointer = &pointer_to_name;

__attribute__((constructor)) static void first(void) { order[count++ & 3] = 1; }
__attribute__((constructor(200))) static void early(void) { order[count++ & 3] = 2; }
__attribute__((destructor)) static void last(void) { printf("last %d\n", count); }

int doubled(int x) { return x * 2; }
int alias_of_doubled(int x) __attribute__((alias("doubled")));
__attribute__((weak)) int weak_function(int x) { return x + weak_value; }
__attribute__((visibility("hidden"))) int hidden_function(int x) { return x - hidden_value; }
__attribute__((visibility("protected"))) int protected_function(int x) { return x ^ 3; }
__attribute__((section("my_text"))) int placed_function(int x) { return x + placed; }
__attribute__((section("my_text"), noinline)) static int placed_static(int x) { return x * 5; }
__attribute__((aligned(64))) int aligned_function(int x) { return x + read_only_placed; }
__attribute__((used)) static int used_static(int x) { return x; }
extern int alias_of_value __attribute__((alias("hidden_value")));

static int fast_version(int x) { return x + 100; }
static int (*resolve(void))(int) { return fast_version; }
int resolved(int x) __attribute__((ifunc("resolve")));

int thread_local_sum(int x) {
    counter += x;
    per_thread++;
    return counter + per_thread;
}

int optional(void) { return maybe ? maybe() : -1; }
int use_placed(int x) { return placed_static(x) + placed_function(x); }
int use_all(int x) {
    shared_by_all += x;
    tentative -= x;
    return shared_by_all + tentative + alias_of_value;
}
const char *get_name(void) { return *pointer; }

int assembled(int x) {
    int y;
    __asm__ volatile("movl %1, %0\n\taddl $'#', %0 # a comment; not a statement" : "=r"(y) : "r"(x));
    __asm__ volatile("1: decl %0; jns 2f; jmp 3f\n2: jmp 1b\n3:" : "+r"(y));
    return y;
}
__asm__(".globl from_text\n.type from_text, @function\nfrom_text: movl $42, %eax; ret\n"
        ".size from_text, .-from_text\n.text\n");
int from_text(void);

int loop(volatile int *p, int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s += *p;
    return s;
}

int main(int argc, char **argv) {
    printf("%d %d %d\n", order[0], order[1], count);
    printf("%d %d\n", doubled(argc), alias_of_doubled(argc + 1));
    printf("%d %d %d\n", weak_function(argc), hidden_function(argc), protected_function(argc));
    printf("%d %d %d\n", use_placed(argc), aligned_function(argc), resolved(argc));
    for (int i = 0; i < 3; i++) printf("%d %d\n", thread_local_sum(i), use_all(i));
    printf("%d %s %d %d\n", optional(), get_name(), assembled(argc), from_text());
    printf("%d\n", loop(&placed, 3));
    return 0;
}
