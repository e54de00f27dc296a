// Everything is computed by operations that IEEE 754 rounds the same everywhere (+ - * / sqrt), and
// CMakeLists.txt forbids their fusion for this file: no sine, no distribution of the library.
#include "suite/data/procedural.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "architectures/nearest.h"
#include "suite/data/bytes.h"
#include "suite/data/random.h"

namespace convscope {
namespace {

struct Point {
  double x, y;
};

using Colour = std::array<double, 3>;

double length(Point p) { return std::sqrt(p.x * p.x + p.y * p.y); }
double between(Random& random, double low, double high) {
  return low + (high - low) * random.uniform();
}

// The shapes: how far a point is inside, at most a stretch from the true distance; negative
// outside. Each covers about 1.6 units of area, so that size does not give a class away.

double disc(Point p) { return 0.71 - length(p); }

double ring(Point p) { return 0.26 - std::abs(length(p) - 0.68); }

double crescent(Point p) { return std::min(0.95 - length(p), length({p.x - 0.5, p.y}) - 0.7); }

double clover(Point p) {
  const Point q = {std::abs(p.x), std::abs(p.y)};
  return 0.42 - std::min(length({q.x - 0.47, q.y}), length({q.x, q.y - 0.47}));
}

double square(Point p) { return 0.63 - std::max(std::abs(p.x), std::abs(p.y)); }

double triangle(Point p) {
  constexpr double sine = 0.8660254037844386;
  return 0.55 - std::max({-p.y, 0.5 * p.y + sine * p.x, 0.5 * p.y - sine * p.x});
}

double star(Point p) {
  // A pentagram: inside of four of its five lines.
  constexpr double normals[5][2] = {{0, -1},
                                    {0.9510565162951535, -0.3090169943749474},
                                    {0.5877852522924731, 0.8090169943749475},
                                    {-0.5877852522924731, 0.8090169943749475},
                                    {-0.9510565162951535, -0.3090169943749474}};
  double lowest = 1e9, second = 1e9;
  for (const auto& normal : normals) {
    const double inside = 0.37 - (p.x * normal[0] + p.y * normal[1]);
    if (inside < lowest) {
      second = lowest;
      lowest = inside;
    } else {
      second = std::min(second, inside);
    }
  }
  return second;
}

double cross(Point p) {
  const double x = std::abs(p.x), y = std::abs(p.y);
  return std::max(std::min(0.25 - x, 0.93 - y), std::min(0.25 - y, 0.93 - x));
}

// The textures: from -1 to 1 at a point, in periods of the texture.

double wave(double x) { return 4 * std::abs(x - std::floor(x) - 0.5) - 1; }

/// Edges about a tenth of a period wide instead of a slope.
double sharpened(double x) { return std::clamp(3 * x, -1.0, 1.0); }

double stripes_across(Point p) { return sharpened(wave(p.y)); }
double stripes_upright(Point p) { return sharpened(wave(p.x)); }
double checks(Point p) { return sharpened(2 * wave(0.7 * p.x) * wave(0.7 * p.y)); }

double dots(Point p) {
  const Point q = {p.x - std::floor(p.x) - 0.5, p.y - std::floor(p.y) - 0.5};
  return sharpened(6 * (0.36 - length(q)));
}

/// Chance at the corners of a lattice, linear in between.
double grain(Point p) {
  const double x = std::floor(p.x * 2), y = std::floor(p.y * 2);
  const auto at = [](double column, double row) {
    return 2 * Random(static_cast<uint64_t>(static_cast<int64_t>(column)),
                      static_cast<uint64_t>(static_cast<int64_t>(row)))
                   .uniform() -
           1;
  };
  const double right = p.x * 2 - x, down = p.y * 2 - y;
  const double above = at(x, y) + right * (at(x + 1, y) - at(x, y));
  const double below = at(x, y + 1) + right * (at(x + 1, y + 1) - at(x, y + 1));
  return sharpened(above + down * (below - above));
}

double plain(Point p) { return p.x > -1e9 ? 1 : -1; }

struct Shape {
  const char* name;
  double (*inside)(Point);
};
struct Texture {
  const char* name;
  double (*at)(Point);
};

// Curved shapes first, and lines first: the halves are cut from these.
constexpr Shape shapes[] = {{"disc", disc},     {"ring", ring},     {"crescent", crescent},
                            {"clover", clover}, {"square", square}, {"triangle", triangle},
                            {"star", star},     {"cross", cross}};
constexpr Texture textures[] = {{"stripes across", stripes_across},
                                {"stripes upright", stripes_upright},
                                {"checks", checks},
                                {"dots", dots},
                                {"grain", grain},
                                {"plain", plain}};

/// The class of an image: rows of the tables above.
struct Kind {
  size_t shape, texture;
};

/// `count` kinds that share some shapes and some textures, so that neither tells them all.
void add_kinds(std::vector<Kind>& kinds, size_t count, const std::vector<size_t>& some_shapes,
               const std::vector<size_t>& some_textures) {
  const size_t rows = std::min(some_shapes.size(), (2 * count + 2) / 3);
  for (size_t i = 0; i < count; ++i) {
    const size_t row = i % rows;
    kinds.push_back({some_shapes[row], some_textures[(row + i / rows) % some_textures.size()]});
  }
}

/// Half A, then half B.
std::vector<Kind> kinds_of(size_t classes, Halves halves) {
  const size_t a = (classes + 1) / 2, b = classes - a;
  std::vector<Kind> kinds;
  if (halves == Halves::similar) {
    // Curved and angular by turns, so that few classes have both.
    const std::vector<size_t> all = {0, 5, 1, 7, 3, 4, 2, 6};
    add_kinds(kinds, a, all, {0, 3, 5});
    add_kinds(kinds, b, all, {1, 2, 4});
  } else {
    add_kinds(kinds, a, {0, 1, 2, 3}, {3, 4, 5});
    add_kinds(kinds, b, {4, 5, 6, 7}, {0, 1, 2});
  }
  return kinds;
}

constexpr int64_t most_classes(Halves halves) { return halves == Halves::similar ? 48 : 24; }

/// A rotation without sine and cosine: the half-angle formulas, and quarters of a turn.
struct Rotation {
  double cosine, sine;

  /// By twice the arc tangent of `tangent`.
  static Rotation of_half_angle(double tangent) {
    const double scale = 1 / (1 + tangent * tangent);
    return {(1 - tangent * tangent) * scale, 2 * tangent * scale};
  }
  Point operator()(Point p) const { return {cosine * p.x + sine * p.y, cosine * p.y - sine * p.x}; }
};

/// Any angle, not all equally often.
Rotation any_rotation(Random& random) {
  Rotation rotation =
      Rotation::of_half_angle(between(random, -0.4142135623730951, 0.4142135623730951));
  for (int64_t quarter = random.below(4); quarter > 0; --quarter) {
    rotation = {-rotation.sine, rotation.cosine};
  }
  return rotation;
}

/// Lengths are in pixels.
struct Figure {
  Kind kind;
  Point centre;
  double radius, stretch;
  Rotation rotation;
  double period;
  Rotation texture_rotation;
  Point texture_shift;
  Colour light, dark;
};

Colour any_colour(Random& random) {
  return {between(random, 20, 235), between(random, 20, 235), between(random, 20, 235)};
}

double distance(const Colour& a, const Colour& b) {
  return (std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2])) / 3;
}

/// A colour at least so far from others; the last drawn where chance gives none.
Colour distinct_colour(Random& random, const std::vector<Colour>& others, double least) {
  Colour colour = any_colour(random);
  for (int attempt = 0; attempt < 20; ++attempt) {
    if (std::all_of(others.begin(), others.end(),
                    [&](const Colour& other) { return distance(colour, other) >= least; })) {
      break;
    }
    colour = any_colour(random);
  }
  return colour;
}

struct Canvas {
  int64_t size;
  std::vector<Colour> pixels;

  explicit Canvas(int64_t side) : size(side), pixels(static_cast<size_t>(side * side)) {}
};

void paint(Canvas& canvas, const Figure& figure) {
  const auto inside = shapes[figure.kind.shape].inside;
  const auto texture = textures[figure.kind.texture].at;
  // No shape reaches further than 1.2 radii from its centre.
  const double reach = 1.2 * figure.radius * figure.stretch + 1;
  const auto from = [&](double at) {
    return std::max<int64_t>(0, static_cast<int64_t>(at - reach));
  };
  const auto to = [&](double at) {
    return std::min(canvas.size, static_cast<int64_t>(std::max(0.0, at + reach)) + 1);
  };
  for (int64_t row = from(figure.centre.y); row < to(figure.centre.y); ++row) {
    for (int64_t column = from(figure.centre.x); column < to(figure.centre.x); ++column) {
      const Point p = {static_cast<double>(column) - figure.centre.x,
                       static_cast<double>(row) - figure.centre.y};
      Point q = figure.rotation(p);
      q = {q.x / (figure.radius * figure.stretch), q.y * figure.stretch / figure.radius};
      const double cover = std::clamp(inside(q) * figure.radius + 0.5, 0.0, 1.0);
      if (cover <= 0) continue;
      Point t = figure.texture_rotation(p);
      t = {t.x / figure.period + figure.texture_shift.x,
           t.y / figure.period + figure.texture_shift.y};
      const double mixed = 0.5 + 0.5 * texture(t);
      Colour& pixel = canvas.pixels[static_cast<size_t>(row * canvas.size + column)];
      for (size_t c = 0; c < 3; ++c) {
        const double colour = figure.dark[c] + mixed * (figure.light[c] - figure.dark[c]);
        pixel[c] += cover * (colour - pixel[c]);
      }
    }
  }
}

/// A gradient in any direction, with a weak texture of any kind.
void paint_background(Canvas& canvas, const Colour& first, const Colour& second, Random& random) {
  const Rotation direction = any_rotation(random);
  const Rotation turned = any_rotation(random);
  const auto texture = textures[random.below(std::size(textures))].at;
  const double size = static_cast<double>(canvas.size);
  const double period = between(random, 0.12, 0.3) * size, strength = between(random, 0, 25);
  const Point shift = {between(random, 0, 100), between(random, 0, 100)};
  for (int64_t row = 0; row < canvas.size; ++row) {
    for (int64_t column = 0; column < canvas.size; ++column) {
      const Point p = {static_cast<double>(column), static_cast<double>(row)};
      const double along =
          std::clamp(0.5 + 0.7 * direction({p.x / size - 0.5, p.y / size - 0.5}).x, 0.0, 1.0);
      const Point t = turned({p.x / period, p.y / period});
      const double more = strength * texture({t.x + shift.x, t.y + shift.y});
      Colour& pixel = canvas.pixels[static_cast<size_t>(row * canvas.size + column)];
      for (size_t c = 0; c < 3; ++c) pixel[c] = first[c] + along * (second[c] - first[c]) + more;
    }
  }
}

Figure any_figure(Random& random, Kind kind, double size) {
  Figure figure;
  figure.kind = kind;
  figure.rotation = any_rotation(random);
  figure.stretch = between(random, 0.87, 1.15);
  // Stripes keep their direction in the picture: it is what tells them apart.
  figure.texture_rotation = Rotation::of_half_angle(between(random, -0.1, 0.1));
  figure.texture_shift = {between(random, 0, 100), between(random, 0, 100)};
  figure.period = std::max(3.0, between(random, 0.11, 0.19) * size);
  return figure;
}

Image paint_image(Kind kind, int64_t side, Random& random) {
  const double size = static_cast<double>(side);
  Canvas canvas(side);
  const Colour first = any_colour(random);
  const Colour second = any_colour(random);
  paint_background(canvas, first, second, random);

  const auto clutter = [&] {
    Figure figure = any_figure(random,
                               {static_cast<size_t>(random.below(std::size(shapes))),
                                static_cast<size_t>(random.below(std::size(textures)))},
                               size);
    figure.radius = between(random, 0.05, 0.15) * size;
    figure.centre = {between(random, 0, size), between(random, 0, size)};
    figure.light = any_colour(random);
    figure.dark = any_colour(random);
    paint(canvas, figure);
  };
  for (int64_t pieces = 3 + random.below(5); pieces > 0; --pieces) clutter();

  Figure figure = any_figure(random, kind, size);
  figure.radius = between(random, 0.26, 0.44) * size;
  figure.centre = {between(random, 0.33, 0.67) * size, between(random, 0.33, 0.67) * size};
  figure.light = distinct_colour(random, {first, second}, 35);
  figure.dark = distinct_colour(random, {first, second, figure.light}, 35);
  paint(canvas, figure);
  // In front of it, small ones.
  for (int64_t pieces = random.below(3); pieces > 0; --pieces) clutter();

  const double noise = between(random, 2, 45);
  Image image{{side, side}, {0, 0, side, side}, 3, std::vector<uint8_t>(canvas.pixels.size() * 3)};
  for (size_t i = 0; i < canvas.pixels.size(); ++i) {
    uint64_t bits = random.next();
    for (size_t c = 0; c < 3; ++c) {
      // The sum of two bytes: likelier near the middle.
      const double shift = (static_cast<double>((bits & 255) + (bits >> 8 & 255)) - 255) / 255;
      bits >>= 16;
      image.pixels[3 * i + c] =
          static_cast<uint8_t>(std::clamp(canvas.pixels[i][c] + noise * shift + 0.5, 0.0, 255.0));
    }
  }
  return image;
}

struct ProceduralDataset : Dataset {
  ProceduralOptions options;
  std::string split;
  uint64_t stream;  ///< of chance: no two splits and no two halves share a background
  size_t count;
  std::vector<Kind> kinds;
  std::vector<std::string> names;

  size_t size() const override { return count; }
  Image image(size_t index, const WantedRegion& = {}) const override {
    Random random(options.seed, stream, index);
    return in_channels(paint_image(kinds[index % kinds.size()], options.size, random),
                       options.channels);
  }
  int64_t label(size_t index) const override { return static_cast<int64_t>(index % kinds.size()); }
  std::string name(size_t index) const override {
    return "procedural " + split + ": image " + std::to_string(index);
  }
  const std::vector<std::string>& classes() const override { return names; }
};

[[noreturn]] void refuse(const std::string& reason) {
  throw std::invalid_argument("procedural: " + reason);
}

void require(int64_t value, int64_t low, int64_t high, const std::string& key) {
  if (value >= low && value <= high) return;
  refuse("expected " + key + " from " + std::to_string(low) + " to " + std::to_string(high) +
         ", found " + std::to_string(value));
}

template <class Integer>
Integer parse_integer(const std::string& key, const std::string& text) {
  Integer value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) {
    refuse("expected an integer for " + key + ", found '" + text + "'");
  }
  return value;
}

template <class Enum>
Enum parse_choice(const std::string& key, const std::string& text,
                  const std::vector<std::pair<std::string, Enum>>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + name;
  }
  refuse("expected one of " + names + " for " + key + ", found '" + text + "'");
}

}  // namespace

ProceduralOptions parse_procedural(const std::string& text, const ProceduralOptions& defaults) {
  ProceduralOptions options = defaults;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    begin = end + 1;
    const size_t equals = item.find('=');
    if (equals == std::string::npos) {
      refuse("expected key=value pairs with commas between, found '" + item + "'");
    }
    const std::string key = item.substr(0, equals), value = item.substr(equals + 1);
    const std::pair<std::string, int64_t*> integers[] = {{"classes", &options.classes},
                                                         {"size", &options.size},
                                                         {"train", &options.train},
                                                         {"val", &options.val},
                                                         {"test", &options.test}};
    const auto integer = std::find_if(std::begin(integers), std::end(integers),
                                      [&](const auto& one) { return one.first == key; });
    if (integer != std::end(integers)) {
      *integer->second = parse_integer<int64_t>(key, value);
    } else if (key == "seed") {
      options.seed = parse_integer<uint64_t>(key, value);
    } else if (key == "halves") {
      options.halves = parse_choice<Halves>(
          key, value, {{"similar", Halves::similar}, {"dissimilar", Halves::dissimilar}});
    } else if (key == "half") {
      options.half =
          parse_choice<Half>(key, value, {{"A", Half::a}, {"B", Half::b}, {"both", Half::both}});
    } else {
      const std::vector<std::string> keys = {"classes", "size",   "train", "val",
                                             "test",    "halves", "half",  "seed"};
      std::string known;
      for (const std::string& one : keys) known += (known.empty() ? "" : ", ") + one;
      refuse("expected one of " + known + ", found '" + key + "'" + did_you_mean(key, keys));
    }
  }
  return options;
}

std::unique_ptr<Dataset> procedural_dataset(const ProceduralOptions& options,
                                            const std::string& split) {
  require(options.classes, 2, most_classes(options.halves), "classes");
  require(options.size, 16, 224, "size");
  require(options.channels, 1, 3, "channels");
  if (options.half != Half::both && options.classes % 2 != 0) {
    refuse("expected an even number of classes to take half of, found " +
           std::to_string(options.classes));
  }
  const std::pair<std::string, int64_t> splits[] = {
      {"train", options.train}, {"val", options.val}, {"test", options.test}};
  const auto found = std::find_if(std::begin(splits), std::end(splits),
                                  [&](const auto& one) { return one.first == split; });
  if (found == std::end(splits)) {
    refuse("expected the split train, val or test, found '" + split + "'");
  }
  require(found->second, 1, int64_t{1} << 40, "number of images in " + split);

  auto dataset = std::make_unique<ProceduralDataset>();
  dataset->options = options;
  dataset->split = split;
  dataset->stream = static_cast<uint64_t>(found - std::begin(splits)) +
                    std::size(splits) * static_cast<uint64_t>(options.half);
  dataset->count = static_cast<size_t>(found->second);
  dataset->kinds = kinds_of(static_cast<size_t>(options.classes), options.halves);
  const auto middle = dataset->kinds.begin() + (options.classes + 1) / 2;
  if (options.half == Half::a) dataset->kinds.erase(middle, dataset->kinds.end());
  if (options.half == Half::b) dataset->kinds.erase(dataset->kinds.begin(), middle);
  for (const Kind& kind : dataset->kinds) {
    dataset->names.push_back(std::string(shapes[kind.shape].name) + ", " +
                             textures[kind.texture].name);
  }
  return dataset;
}

}  // namespace convscope
