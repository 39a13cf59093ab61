// Classes, exceptions, templates, inline functions with statics, initialisation at run time.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

struct Shape {
    virtual ~Shape();
    virtual int area() const = 0;
    virtual const char *name() const { return "shape"; }
    static int alive;
    Shape() { alive++; }
};
int Shape::alive;
Shape::~Shape() { alive--; }

struct Named { virtual int tag() const { return 7; } int id = 3; };
struct Square : Shape, Named {
    int side;
    explicit Square(int s) : side(s) {}
    int area() const override { return side * side; }
    const char *name() const override { return "square"; }
    int tag() const override { return side + id; }
};
struct Rectangle : Shape {
    int a, b;
    Rectangle(int x, int y) : a(x), b(y) {}
    int area() const override { if (a < 0) throw std::out_of_range("negative"); return a * b; }
};

inline int unique() { static int next = std::atoi("40"); return ++next; }
template <class T> T largest(const std::vector<T> &v) {
    if (v.empty()) throw std::runtime_error("empty");
    T best = v[0];
    for (const T &x : v) if (best < x) best = x;
    return best;
}
namespace {
struct Counter { int n; Counter() : n(std::atoi("5")) {} ~Counter() { std::printf("counter %d\n", n); } };
Counter counter;
int bump(int by) { return counter.n += by; }
}
static std::string greeting = "hello, world of long strings";

int total(const std::vector<Shape *> &shapes) {
    int sum = 0;
    for (const Shape *s : shapes) {
        try { sum += s->area(); }
        catch (const std::out_of_range &e) { std::printf("caught %s\n", e.what()); sum -= 1; }
        catch (...) { std::puts("other"); }
    }
    return sum;
}
int guard(int x) {
    struct Cleaner { int &r; ~Cleaner() { r++; } };
    int cleaned = 0;
    try { Cleaner c{cleaned}; if (x & 1) throw x; cleaned += 10; }
    catch (int v) { cleaned += v * 100; }
    return cleaned;
}
int divide(int a, int b) noexcept(false) { if (!b) throw std::invalid_argument("by zero"); return a / b; }
int safe_divide(int a, int b) {
    try { return divide(a, b); } catch (std::exception &e) { std::puts(e.what()); return 0; }
}
int lambda(int x) { auto f = [x](int y) { return x * y + bump(1); }; return f(2) + f(3); }
const char *word(int n) { static const char *const words[] = {"a", "bb", "ccc"}; return words[n % 3]; }
int tags(const Named &n) { return n.tag(); }

int main(int argc, char **) {
    Square s(3); Rectangle r(2, 5), bad(-argc, 2);
    std::printf("%d %d %s %s\n", total({&s, &r, &bad}), Shape::alive, s.name(), static_cast<Shape &>(r).name());
    std::printf("%d %d %d\n", guard(argc), guard(argc + 1), tags(s));
    std::printf("%d %d\n", safe_divide(9, 3), safe_divide(9, argc - 1));
    std::printf("%d ", unique());
    std::printf("%d %d\n", unique(), lambda(argc));
    try { std::printf("%d\n", largest(std::vector<int>{4, 9, 2})); std::printf("%d\n", (int)largest(std::vector<short>{})); }
    catch (const std::runtime_error &e) { std::printf("%s %s %s\n", e.what(), greeting.c_str(), word(argc)); }
    return 0;
}
