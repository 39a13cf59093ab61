/* Variable arguments: integers, doubles, structures, va_copy, forwarding. */
#include <stdarg.h>
#include <stdio.h>

struct pair { int x; double y; };

static double sum(const char *kinds, ...) {
    va_list ap, again;
    va_start(ap, kinds);
    va_copy(again, ap);
    double total = 0;
    for (const char *k = kinds; *k; k++) switch (*k) {
        case 'i': total += va_arg(ap, int); break;
        case 'l': total += (double)va_arg(ap, long long); break;
        case 'd': total += va_arg(ap, double); break;
        case 'p': { struct pair p = va_arg(ap, struct pair); total += p.x * p.y; break; }
        }
    if (kinds[0] == 'i') total += va_arg(again, int) * 1000;
    va_end(again);
    va_end(ap);
    return total;
}

static int show(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    int n = vprintf(format, ap);
    va_end(ap);
    return n;
}

int main(void) {
    struct pair p = {3, 0.5};
    double r = sum("iidlpi", 1, 2, 2.5, 1LL << 40, p, 7);
    int n = show("%.3f %d %s %c\n", r, -5, "text", 'q');
    n += show("%.2f\n", sum("dddddddddd", 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.));
    return n;
}
