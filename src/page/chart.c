/* Bars in a coordinate system of their own; colours are the style sheet's. */
#include "page/chart.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "page/html.h"

enum { WIDTH = 520, HEIGHT = 150, LEFT = 44, BOTTOM = 20, TOP = 8, TABLE_ROWS = 24, MARKS = 4 };

static int64_t
value(const struct chart *c, size_t series, size_t i)
{
	return c->values[series] == NULL ? 0 : c->values[series][i];
}

static int64_t
total(const struct chart *c, size_t i)
{
	int64_t sum = 0;

	for (size_t s = 0; s < CHART_SERIES; s++)
		sum += value(c, s, i);
	return sum;
}

/* 1, 2 or 5 times a power of ten, not below the highest bar. */
static int64_t
scale(const struct chart *c)
{
	static const int64_t steps[] = { 1, 2, 5 };
	int64_t most = 1;

	for (size_t i = 0; i < c->n; i++)
		if (total(c, i) > most)
			most = total(c, i);
	for (int64_t ten = 1;; ten *= 10)
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++)
			if (steps[k] * ten >= most)
				return steps[k] * ten;
}

static const char *
clock_text(int64_t when, char out[16])
{
	time_t t = (time_t)when;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, 16, "%02d:%02d", tm.tm_hour, tm.tm_min);
	return out;
}

static void
write_axes(struct mf_buf *out, const struct chart *c, int64_t most)
{
	double wide = (double)(WIDTH - LEFT) / (double)c->n;
	int base = HEIGHT - BOTTOM;
	char text[16];

	for (int i = 0; i <= 2; i++) {
		int y = base - (base - TOP) * i / 2;

		if (most == 1 && i == 1)
			continue;
		mf_buf_printf(out,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>"
			"<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%g</text>",
			LEFT, WIDTH, y, y, LEFT - 6, y + 4, (double)most * i / 2);
	}
	for (size_t i = 0; i < MARKS; i++) {
		size_t at = c->n * i / MARKS;

		mf_buf_printf(out, "<text x=\"%.0f\" y=\"%d\">%s</text>", LEFT + wide * (double)at,
			HEIGHT - 4, clock_text(c->began + (int64_t)at * c->step, text));
	}
}

static void
write_bar(struct mf_buf *out, const struct chart *c, size_t i, int64_t most)
{
	double wide = (double)(WIDTH - LEFT) / (double)c->n, y = HEIGHT - BOTTOM;
	char text[16];

	if (total(c, i) == 0)
		return;
	mf_buf_printf(out, "<g><title>%s: %" PRId64 "</title>",
		clock_text(c->began + (int64_t)i * c->step, text), total(c, i));
	for (size_t s = 0; s < CHART_SERIES; s++) {
		double high =
			(double)(HEIGHT - BOTTOM - TOP) * (double)value(c, s, i) / (double)most;

		y -= high;
		if (high > 0)
			mf_buf_printf(out,
				"<rect class=\"series%zu\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
				"height=\"%.2f\"/>",
				s, LEFT + wide * (double)i, y, wide * 0.8, high);
	}
	mf_buf_add_str(out, "</g>");
}

/* An hour or so a row. */
static void
write_table(struct mf_buf *out, const struct chart *c)
{
	char text[16];

	html_add(out,
		"<details><summary>As a table</summary><div class=\"wide\" "
		"tabindex=\"0\"><table><caption>%s"
		"</caption><thead><tr><th scope=\"col\">From (UTC)</th>",
		c->title);
	for (size_t s = 0; s < CHART_SERIES; s++)
		if (c->values[s] != NULL)
			html_add(out, "<th scope=\"col\" class=\"n\">%s</th>",
				c->names[s] == NULL ? c->title : c->names[s]);
	html_add(out, "</tr></thead><tbody>");
	for (size_t row = 0; row < TABLE_ROWS; row++) {
		size_t from = c->n * row / TABLE_ROWS, to = c->n * (row + 1) / TABLE_ROWS;

		html_add(out, "<tr><th scope=\"row\">%s</th>",
			clock_text(c->began + (int64_t)from * c->step, text));
		for (size_t s = 0; s < CHART_SERIES; s++) {
			int64_t sum = 0;

			for (size_t i = from; i < to; i++)
				sum += value(c, s, i);
			if (c->values[s] != NULL)
				html_add(out, "<td class=\"n\">%d</td>", sum);
		}
		html_add(out, "</tr>");
	}
	html_add(out, "</tbody></table></div></details>");
}

void
chart_write(struct mf_buf *out, const struct chart *c)
{
	int64_t most = scale(c);

	html_add(out, "<figure><figcaption>%s", c->title);
	for (size_t s = 0; s < CHART_SERIES; s++)
		if (c->names[s] != NULL)
			html_add(out, " <span class=\"key key%d\">%s</span>", (int64_t)s,
				c->names[s]);
	html_add(out,
		"</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s: a bar "
		"chart; the same figures follow as a table\">",
		(int64_t)WIDTH, (int64_t)HEIGHT, c->title);
	write_axes(out, c, most);
	for (size_t i = 0; i < c->n; i++)
		write_bar(out, c, i, most);
	html_add(out, "</svg>");
	write_table(out, c);
	html_add(out, "</figure>");
}
