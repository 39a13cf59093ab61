/* Switches: dense, sparse, ranges, fall-through, strings by switch, nested in loops. */
#include <stdio.h>

static int dense(unsigned n) {
    switch (n) {
    case 0: return 10; case 1: return 12; case 2: return 14; case 3: return 9;
    case 4: return 8; case 5: return 77; case 6: return 3; case 7: return -1;
    default: return 0;
    }
}

static int sparse(int n) {
    int r = 0;
    switch (n) {
    case -1000: r = 1; break;
    case 7: r += 5; /* fall through */
    case 90: r += 3; /* fall through */
    case 65536: r *= 2; break;
    case 2147483647: return -9;
    case 20 ... 40: r = n * 2; break;
    }
    return r + 1;
}

static const char *kind(char c) {
    switch (c) {
    case 'a': case 'e': case 'i': case 'o': case 'u': return "vowel";
    case '0' ... '9': return "digit";
    case ' ': case '\t': case '\n': return "blank";
    default: return (c >= 'a' && c <= 'z') ? "consonant" : "other";
    }
}

static int machine(const char *s) {
    int state = 0, words = 0;
    for (;; s++) {
        switch (state) {
        case 0: if (*s == ' ') continue; if (!*s) return words; state = 1; words++; break;
        case 1: if (*s == '"') state = 2; else if (*s == ' ') state = 0; else if (!*s) return words; break;
        case 2: if (!*s) return -words; if (*s == '"') state = 1; break;
        }
    }
}

int main(void) {
    static const int values[] = {-1000, 7, 90, 65536, 2147483647, 20, 33, 40, 41, 0};
    for (unsigned i = 0; i < 10; i++) printf("%d/%d ", dense(i), sparse(values[i]));
    for (const char *c = "a9 z!"; *c; c++) printf("%s ", kind(*c));
    printf("%d %d\n", machine("one two  \"a b\" x"), machine("broken \"quote"));
    return dense(5);
}
