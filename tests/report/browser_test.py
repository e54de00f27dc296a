#!/usr/bin/python3
"""The HTML page in a real browser: what its script does, what it looks like in both themes, on a
phone and on paper, that no text of a result runs, and that everybody can use it.

    browser_test.py page_probe
"""
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

failures = []


def expect(holds, sentence):
    if not holds:
        failures.append(sentence)
        print(f"FAILED: {sentence}")


def expect_equal(found, expected, what):
    expect(found == expected, f"{what}: {found!r} instead of {expected!r}")


# What is asked of the page as a whole. Of long tables the first rows are enough.
LIBRARY = r"""
const seen = (element) => element.checkVisibility({visibilityProperty: true}) &&
    !element.closest('caption, .skip') && element.getClientRects().length > 0;
const channels = (color) => color.match(/[\d.]+/g).map(Number);
const luminance = (color) => {
  const [r, g, b] = channels(color).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  const svg = element.closest('svg');
  if (svg) return getComputedStyle(svg.querySelector('.ground')).fill;
  for (let e = element; e; e = e.parentElement) {
    const color = getComputedStyle(e).backgroundColor;
    if (channels(color).length < 4 || channels(color)[3] > 0) return color;
  }
  return 'rgb(255, 255, 255)';
};
function lowContrast() {
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('tr:nth-child(n + 20)') || !seen(element)) continue;
    ++texts;
    const style = getComputedStyle(element);
    const ink = element.closest('svg') ? style.fill : style.color;
    const [a, b] = [luminance(ink), luminance(ground(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5))
      low.push(`${node.data.trim().slice(0, 30)}: ${ink} on ${ground(element)}`);
  }
  return {low, texts};
}
function structure() {
  const wrong = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  if (document.documentElement.lang !== 'en') wrong.push('no language');
  if (all('main').length !== 1) wrong.push('not one main');
  if (all('h1').length !== 1) wrong.push('not one h1');
  if (!document.title) wrong.push('no title');
  let level = 0;
  for (const heading of all('h1, h2, h3, h4, h5, h6')) {
    if (Number(heading.tagName[1]) > level + 1) wrong.push(`skipped to ${heading.outerHTML}`);
    level = Number(heading.tagName[1]);
  }
  const ids = all('[id]').map((element) => element.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id occurs twice');
  for (const attribute of ['aria-labelledby', 'aria-describedby'])
    for (const element of all(`[${attribute}]`))
      if (!document.getElementById(element.getAttribute(attribute)))
        wrong.push(`${attribute} to nothing`);
  for (const link of all('a[href^="#"]'))
    if (!document.getElementById(link.hash.slice(1))) wrong.push(`a link to nothing: ${link.hash}`);
  for (const use of all('use'))
    if (!document.querySelector(use.getAttribute('xlink:href')))
      wrong.push('a drawing uses nothing');
  for (const table of all('table')) {
    if (!table.caption?.textContent) wrong.push('a table without caption');
    for (const head of table.tHead.rows[0].cells)
      if (head.scope !== 'col' || !head.textContent) wrong.push('a column without head');
    for (const row of table.tBodies[0].rows)
      if (row.querySelectorAll('th[scope="row"]').length !== 1) wrong.push('a row without head');
  }
  return wrong;
}
"""


class Browser:
    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ["--headless=new", "--disable-gpu", "--window-size=1280,900"]:
            options.add_argument(argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.chrome.service.Service(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def ask(self, expression, *arguments):
        return self.driver.execute_script(LIBRARY + "return " + expression, *arguments)

    def log(self, kind):
        return [entry["message"] for entry in self.driver.get_log(kind)]

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def prefer(self, scheme, media=""):
        self.cdp("Emulation.setEmulatedMedia", media=media,
                 features=[{"name": "prefers-color-scheme", "value": scheme}])

    def width(self, pixels):
        self.cdp("Emulation.setDeviceMetricsOverride", width=pixels, height=800,
                 deviceScaleFactor=1, mobile=pixels < 600)

    def column(self, table, index):
        return self.ask("[...document.querySelectorAll(arguments[0] + ' tbody tr')]"
                        ".map((row) => row.cells[arguments[1]].textContent)", "#" + table, index)


NETWORK, PARAMS, LATENCY = 1, 2, 5  # columns of cost.csv; 0 is hidden


def test_nothing_of_the_results_runs_and_nothing_is_fetched(browser, address):
    expect_equal(browser.ask("typeof window.hacked"), "undefined", "window.hacked")
    expect_equal(browser.log("browser"), [], "the console")
    requests = re.findall(r'"method":"Network.requestWillBeSent".*?"request":\{.*?"url":"([^"]*)"',
                          " ".join(browser.log("performance")))
    expect_equal(set(requests), {address}, "requests")
    expect_equal(browser.ask("document.querySelectorAll('script').length"), 1, "scripts")
    expect_equal(browser.ask("document.querySelectorAll('img, iframe, object, link').length"), 0,
                 "elements that fetch")
    # What would be injected by a hole in the escaping would not run either.
    browser.ask("document.body.insertAdjacentHTML('beforeend', "
                "'<img src=\"x:\" onerror=\"window.hacked=1\" hidden id=injected>')")
    browser.ask("document.body.append(Object.assign(document.createElement('script'), "
                "{textContent: 'window.hacked=1', id: 'injected-too'}))")
    browser.ask("document.getElementById('injected').dispatchEvent(new Event('error'))")
    expect_equal(browser.ask("typeof window.hacked"), "undefined", "window.hacked, injected")
    browser.ask("document.querySelectorAll('#injected, #injected-too').forEach((e) => e.remove())")
    browser.log("browser")


def test_tables_are_sorted_by_click_and_by_keyboard(browser):
    recorded = browser.column("cost", NETWORK)
    expect_equal(recorded[:3], ["resnet50", "lenet5", "resnet101"], "rows as recorded")
    head = browser.one("#cost th[title='params']")
    button = head.find_element(By.TAG_NAME, "button")
    press = [button.click, lambda: button.send_keys(Keys.ENTER),
             lambda: button.send_keys(Keys.SPACE)]
    for first in range(3):  # three presses go around, whatever does the pressing
        press[first]()
        expect_equal(browser.column("cost", PARAMS),
                     ["1", "2", "3", "4", "5", "6", "62.0 k", "1.235 M", "3.505 M", "11.69 M",
                      "25.56 M", "44.55 M", "61.10 M"], "ascending by number")
        expect_equal(head.get_attribute("aria-sort"), "ascending", "aria-sort")
        press[(first + 1) % 3]()
        expect_equal(browser.column("cost", PARAMS)[:2], ["61.10 M", "44.55 M"], "descending")
        expect_equal(head.get_attribute("aria-sort"), "descending", "aria-sort")
        press[(first + 2) % 3]()
        expect_equal(browser.column("cost", NETWORK), recorded, "as recorded again")
        expect_equal(head.get_attribute("aria-sort"), None, "aria-sort")

    names = browser.one("#cost th[title='model'] button")
    names.click()
    order = browser.column("cost", NETWORK)
    expect(order.index("resnet18") < order.index("resnet50") < order.index("resnet101"),
           "numbers within names sort as numbers")
    latency = browser.one("#cost th[title='latency_ms'] button")
    latency.click()
    expect_equal(names.find_element(By.XPATH, "..").get_attribute("aria-sort"), None,
                 "aria-sort of the column before")
    order = browser.column("cost", NETWORK)
    expect(order.index("alexnet") + 1 == order.index("mobilenet_v2"),
           "12.0001 sorts before 12.0002 though both are shown as 12")
    expect_equal(browser.column("cost", LATENCY)[-2:], ["inf", "nan"], "infinity, then no number")
    latency.click()
    expect_equal(browser.column("cost", LATENCY)[0], "inf", "infinity first when descending")
    top1 = browser.one("#cost th[title='top1'] button")
    for direction in ["ascending", "descending"]:
        top1.click()
        expect_equal(browser.column("cost", NETWORK)[-1], "lenet5", f"the last, {direction}")
    aligned = browser.one("#cost th[title='aligned'] button")
    aligned.click()
    expect_equal(browser.column("cost", NETWORK)[:2], ["alexnet", "squeezenet1_1"], "ties")
    aligned.click(), aligned.click()


def test_tables_are_filtered(browser):
    field, count = browser.one("#cost [type=search]"), browser.one("#cost output")
    expect_equal(count.get_attribute("aria-live"), "polite", "aria-live")
    expect_equal(count.text, "13 rows", "count")
    for words, networks in {"resnet": ["resnet50", "resnet101", "resnet18"],
                            "RESNET yes 44.": ["resnet50", "resnet101", "resnet18"],
                            "resnet 44.55": ["resnet101"],
                            "model:alex": ["alexnet"],
                            "params:alex": [],
                            "notes:ties": ["alexnet"],
                            "ties": [],  # what is not seen is not found
                            "<script>": ["<script>window.hacked=1</script>"]}.items():
        field.clear()
        field.send_keys(words)
        expect_equal(browser.column("cost", NETWORK), networks, f"rows with '{words}'")
        expect_equal(count.text, f"{len(networks)} of 13 rows", f"count of '{words}'")
    field.send_keys(Keys.ESCAPE)
    expect_equal((field.get_property("value"), count.text), ("", "13 rows"), "after Escape")
    expect_equal(len(browser.driver.find_elements(By.CSS_SELECTOR, "#few [type=search]")), 0,
                 "filter of a table of two rows")
    field = browser.one("#layers [type=search]")
    field.send_keys("vgg16 layer33")
    expect_equal(browser.one("#layers output").text, "6 of 400 rows", "count of the long table")
    field.send_keys(Keys.ESCAPE)


def test_all_columns_can_be_shown(browser):
    notes = browser.one("#cost th[title='notes']")
    box = browser.one("#cost .all")
    for shown in [True, False]:
        box.send_keys(Keys.SPACE)
        expect_equal(notes.is_displayed(), shown, "the column for files")
        expect_equal(browser.one("#cost tbody tr td:last-child").is_displayed(), shown, "its cells")
    dashes = browser.ask("[...document.querySelectorAll('#cost td')].filter((cell) => "
                         "getComputedStyle(cell, '::before').content.includes('–')).length")
    expect_equal(dashes, 6, "dashes in empty cells")


def test_theme_is_the_systems_until_another_is_chosen(browser):
    def colors():
        return browser.ask("[getComputedStyle(document.body).backgroundColor,"
                           "getComputedStyle(document.querySelector('figure .ground')).fill,"
                           "getComputedStyle(document.querySelector('figure .label')).fill]")
    browser.prefer("light")
    light = colors()
    browser.prefer("dark")
    dark = colors()
    expect_equal(light, ["rgb(255, 255, 255)", "rgb(255, 255, 255)", "rgb(38, 38, 38)"], "light")
    expect(all(a != b for a, b in zip(light, dark)), f"dark colours differ: {dark}")
    expect_equal(dark[0], dark[1], "the ground of figures in the dark")
    auto, to_light, to_dark = browser.driver.find_elements(By.CSS_SELECTOR, ".theme button")
    to_light.click()
    expect_equal(colors(), light, "light although the system is dark")
    expect_equal(to_light.get_attribute("aria-pressed"), "true", "aria-pressed")
    browser.driver.refresh()
    expect_equal(colors(), light, "light after the page was opened again")
    browser.prefer("light")
    auto, to_light, to_dark = browser.driver.find_elements(By.CSS_SELECTOR, ".theme button")
    to_dark.send_keys(Keys.ENTER)
    expect_equal(colors(), dark, "dark although the system is light")
    auto.click()
    expect_equal(colors(), light, "as the system again")


def test_commands_are_copied_or_selected(browser):
    button = browser.one(".commands button")
    browser.ask("void Object.defineProperty(navigator, 'clipboard', {configurable: true, value:"
                "{writeText: async (text) => { window.copied = text; }}})")
    button.click()
    expect_equal(button.text, "Copied", "the button")
    text = browser.one(".commands code").get_property("textContent")
    expect_equal(browser.ask("window.copied"), text, "what is copied")
    expect_equal(len(text.split("\n")), 3, "lines")
    browser.ask("void Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button.click()
    expect_equal(button.text, "Selected", "the button without a clipboard")
    expect_equal(browser.ask("getSelection().toString()").strip(), text.strip(), "the selection")


def test_text_has_contrast_in_both_themes(browser):
    browser.ask("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for scheme in ["light", "dark"]:
        browser.prefer(scheme)
        found = browser.ask("lowContrast()")
        expect(found["texts"] > 200, f"texts are found: {found['texts']}")
        expect_equal(found["low"], [], f"texts of low contrast, {scheme}")


def test_structure_and_names_are_there_for_who_cannot_see(browser):
    expect_equal(browser.ask("structure()"), [], "the structure")
    named = {"button", "link", "searchbox", "textbox", "checkbox", "image", "img", "table",
             "region", "navigation", "DisclosureTriangle", "heading", "columnheader", "rowheader"}
    roles = set()
    for node in browser.cdp("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        if node.get("ignored") or role not in named:
            continue
        roles.add(role)
        expect(node.get("name", {}).get("value", "").strip(), f"a {role} has a name")
        if role in ("image", "img"):
            expect(node.get("description", {}).get("value"), "a figure has a description")
    expect({"button", "link", "searchbox", "checkbox", "table", "region"} <= roles,
           f"the roles are there: {roles}")
    expect(roles & {"image", "img"}, "figures are images")


def test_everything_is_reached_by_keyboard_and_shows_its_focus(browser):
    controls = browser.ask("[...document.querySelectorAll('a, button, input, summary, [tabindex]')]"
                           ".filter((e) => e.checkVisibility()).length")
    browser.ask("document.activeElement.blur(), getSelection().removeAllRanges(), scrollTo(0, 0)")
    reached = 0
    for _ in range(controls + 5):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        style = browser.ask("""(() => {
          const e = document.activeElement;
          if (e === document.body || e.dataset.reached) return null;
          e.dataset.reached = true;
          const s = getComputedStyle(e), box = e.getBoundingClientRect();
          return [e.outerHTML.slice(0, 60), s.outlineStyle, parseFloat(s.outlineWidth),
                  box.right > 0 && box.left < innerWidth &&
                  box.bottom > 0 && box.top < innerHeight];
        })()""")
        if style is None:
            continue
        reached += 1
        expect(style[1] != "none" and style[2] >= 2, f"focus is seen: {style}")
        expect(style[3], f"what has the focus is in view: {style}")
    expect_equal(reached, controls, "what the keyboard reaches")


def test_phones_need_not_scroll_sideways(browser):
    for width in [360, 320]:
        browser.width(width)
        found = browser.ask("[document.documentElement.scrollWidth, innerWidth]")
        expect(found[0] <= width and found[1] == width, f"{width} pixels: {found}")
        size = browser.ask("getComputedStyle(document.querySelector('main p')).fontSize")
        expect(float(size.removesuffix("px")) >= 16, f"text is readable: {size}")
    browser.width(1280)
    scroll = browser.ask("[document.documentElement.scrollWidth, innerWidth]")
    expect(scroll[0] <= scroll[1], f"1280 pixels: {scroll}")
    head = browser.ask("""(() => {
      const region = document.querySelector('#layers .scroll');
      region.scrollTo(300, 500);
      const [box, head, name] = [region, region.querySelector('thead th'),
          region.querySelector('tbody tr:nth-child(30) th')].map((e) => e.getBoundingClientRect());
      return [region.scrollLeft > 0, Math.abs(head.top - box.top) < 3,
              Math.abs(name.left - box.left) < 3];
    })()""")
    expect_equal(head, [True, True, True], "heads and names stay while a table scrolls")


def test_paper_has_everything_but_the_controls(browser):
    pdf = base64.b64decode(browser.cdp("Page.printToPDF")["data"])
    expect(len(re.findall(rb"/Type\s*/Page\b", pdf)) > 1, "the print has pages")
    browser.prefer("dark", "print")
    left = browser.ask("[...document.querySelectorAll('button, input, nav, .theme, .download')]"
                       ".filter((e) => !e.closest('th') && e.checkVisibility()).length")
    expect_equal(left, 0, "controls on paper")
    shown = browser.ask("[...document.querySelectorAll('figure details')]"
                        ".filter((e) => e.checkVisibility()).length")
    expect_equal(shown, 0, "data of figures on paper, which they are downloads of")
    expect_equal(browser.ask("[getComputedStyle(document.body).backgroundColor, "
                             "getComputedStyle(document.querySelector('figure .ground')).fill]"),
                 ["rgb(255, 255, 255)"] * 2, "paper is white although the screen is dark")
    expect_equal(browser.ask("[...document.querySelectorAll('#layers tbody tr')]"
                             ".filter((row) => row.checkVisibility()).length"), 60, "rows on paper")
    expect_equal(browser.ask("getComputedStyle(document.querySelector('th button')).display"),
                 "contents", "buttons of heads, which would keep them from being repeated")
    expect(browser.one("#layers .on-paper").is_displayed(), "what is left out is said")
    overflow = "getComputedStyle(document.querySelector('#layers .scroll')).overflowX"
    expect_equal(browser.ask(overflow), "visible", "tables on paper")
    browser.prefer("light")


def test_without_scripts_all_can_be_read(browser):
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    browser.driver.refresh()
    root = browser.cdp("DOM.getDocument")["root"]["nodeId"]

    def nodes(selector):
        return browser.cdp("DOM.querySelectorAll", nodeId=root, selector=selector)["nodeIds"]

    expect_equal(len(nodes("#cost tbody tr")), 13, "rows without scripts")
    for selector in ["h1", "main p", ".statement", "#cost td:nth-child(3)", "figure svg", "code",
                     "#cost .download", "summary"]:
        box = browser.cdp("DOM.getBoxModel", nodeId=nodes(selector)[0])["model"]
        expect(box["width"] > 10 and box["height"] > 10, f"{selector} is seen without scripts")
    for selector in ["button", "[type=search]", ".theme", "output"]:
        expect_equal(len(nodes(selector)), 0, f"{selector} without scripts")
    browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


def main():
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        print("skipped: chromium or chromedriver is missing (Debian: chromium, chromium-driver)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        page = os.path.join(folder, "page.html")
        subprocess.run([sys.argv[1], page], check=True)
        address = "file://" + page
        browser = Browser()
        try:
            browser.width(1280)
            browser.prefer("light")
            browser.driver.get(address)
            test_nothing_of_the_results_runs_and_nothing_is_fetched(browser, address)
            tests = [test for name, test in globals().items()
                     if name.startswith("test_") and "fetched" not in name]
            for test in tests:
                test(browser)
            expect_equal(browser.log("browser"), [], "the console at the end")
        finally:
            browser.driver.quit()
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
