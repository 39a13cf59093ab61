// Strings with escapes, equal literals in several functions, switches over strings, __func__.
#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *literal(void) { return "literal"; }
__attribute__((noinline)) static const char *kept(void) { return "kept"; }

const char *get(void) { return literal(); }
int same(const char *p) { return p == literal() && kept() == kept(); }
const char *escapes(void) { return "tab\t quote\" back\\ semi; hash# slash// /* no */ \001\377 \x7f end"; }
const char *zero_inside(unsigned *size) {
    static const char text[] = "a\0b;c\0#d";
    *size = sizeof text;
    return text;
}
const char *who(void) { return __func__; }
const char *unicode(void) { return "\u00e9\u4e2d"; }

int rank(const char *name) {
    static const struct { const char *name; int rank; } table[] = {
        {"ace", 14}, {"king", 13}, {"queen", 12}, {"jack", 11}, {"ten", 10},
    };
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcmp(table[i].name, name)) return table[i].rank;
    return 0;
}

int month(int m) {
    const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(m >= 0);
    return days[m % 12];
}

float half(float x) { return x * 0.5f + 1.25f; }
double poly(double x) { return ((x * 0.125 + 3.5) * x - 2.75) * x + 1e-3; }
void vector(float *out, const float *in, int n) {
    for (int i = 0; i < n; i++) out[i] = in[i] * 2.5f + 1.0f;
}
void letters(char *out, int n) {
    for (int i = 0; i < n; i++) out[i] = "0123456789abcdef"[i & 15];
}

int main(int argc, char **argv) {
    unsigned size;
    float in[7] = {1, 2, 3, 4, 5, 6, (float)argc}, out[7];
    char hex[21] = {0};
    printf("%s %d %s\n", get(), same(get()), escapes());
    const char *text = zero_inside(&size);
    fwrite(text, 1, size, stdout);
    printf("\n%s %s %d %d\n", who(), unicode(), rank("queen"), rank(argv[0]) + month(argc));
    vector(out, in, 7);
    letters(hex, 20);
    printf("%.3f %.5f %.2f %s\n", half(3), poly(1.5), out[3] + out[6], hex);
    return 0;
}
