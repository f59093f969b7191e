use super::{is_html, markdown, text_of};

#[test]
fn what_a_page_says_becomes_markdown() {
    for (html, wanted) in [
        ("Hello <b>big </b>world", "Hello **big** world"),
        ("<p>One<p>Two<br>three", "One\n\nTwo\nthree"),
        ("<h2>A <em>title</em></h2>text", "## A *title*\n\ntext"),
        ("<ul><li>a<li>b<ul><li>c</ul></li><li>d</ul>e", "- a\n- b\n  - c\n- d\n\ne"),
        ("<ol start=3><li>a</li><li><p>b</p><p>c</p></li></ol>", "3. a\n\n4. b\n\n   c"),
        ("<blockquote><p>a</p><p>b</p></blockquote>c", "> a\n>\n> b\n\nc"),
        (
            "<a href='https://a.example/x y'>go <i>on</i></a> <a>none</a> <a href='javascript:x()'>bad</a> <a href=/></a>.",
            "[go *on*](https://a.example/x%20y) none bad .",
        ),
        ("<img src=a.png alt='a [b]'> <img src='data:image/png;base64,AA' alt=c>", "![a b](a.png) c"),
        ("<pre><code class='x language-rust'>fn a() {\n    1\n}\n</code></pre>", "```rust\nfn a() {\n    1\n}\n```"),
        ("a <code>b`c</code> <kbd> d </kbd>", "a ``b`c`` `d`"),
        ("<table><tr><th>a<th>b<tr><td>1<td>x|y<tr><td>2</table>", "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n| 2 |  |"),
        ("<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr></table>", "a\n\nb\n\nc"),
        ("<table><tr><td>one</td></tr><tr><td>two</td></tr></table>", "one\n\ntwo"),
        ("a_b _c_ 2*3 # x", "a_b \\_c\\_ 2\\*3 # x"),
        ("<p># not a title</p><p>&gt; not a quote</p>", "\\# not a title\n\n\\> not a quote"),
        (
            "&lt;b&gt; &amp;amp; &eacute; &#233; &#xE9; &Alpha;&omega; &#150; &nosuch; &copy 5 &notes",
            "<b> &amp; é é é Αω – &nosuch; © 5 &notes",
        ),
        ("<script>if (a < b) { '</p>' }</script>x<style>p{}</style><!-- <p>y --><noscript>z</noscript>", "x"),
        (
            "<nav><ul><li>menu</ul></nav><div hidden>h<div>i</div></div><div style='display: none'>j</div><span aria-hidden=\"true\">k</span>l",
            "l",
        ),
        ("<dl><dt>a<dd>b<dd>c<dt>d</dl>", "a\n: b\n: c\nd"),
        ("<b></b><i> </i>x<b></b>", "x"),
        ("a < b > c <3 d", "a < b > c <3 d"),
        ("<p title='a > b'>x</p><p title=\"y>z</p>", "x\n\nz"),
        ("<a href='/x'><h3>T</h3></a>", "### [T](/x)"),
        ("one<hr>two", "one\n\n---\n\ntwo"),
        ("", ""),
        ("<", "<"),
        ("</", "</"),
        ("<p", ""),
        ("&", "&"),
    ] {
        assert_eq!(markdown(html, None), wanted, "{html}");
    }
}

#[test]
fn only_the_main_part_of_a_page_is_read() {
    let page = |inside: &str| {
        format!(
            "<!doctype html><html><head><title>T</title></head><body><header>top</header>{inside}<footer>end</footer>"
        )
    };
    for (inside, wanted) in [
        ("<main><p>a</main>", "a"),
        ("<article>a</article>b", "a"),
        ("<article>a</article><article>b</article>", "top\n\na\n\nb"),
        ("<main> </main>b", "top\n\nb"),
        ("<article>x<main>a</main></article>", "a"),
        ("<div>b</div>", "top\n\nb"),
    ] {
        assert_eq!(markdown(&page(inside), None), wanted, "{inside}");
    }
}

#[test]
fn links_are_completed_by_the_page() {
    let page = url::Url::parse("https://a.example/b/c?d").unwrap();
    let html = "<a href='../x'>x</a> <img src=y.png alt=y> <a href='#z'>z</a>";
    let wanted = "[x](https://a.example/x) ![y](https://a.example/b/y.png) [z](https://a.example/b/c?d#z)";
    assert_eq!(markdown(html, Some(&page)), wanted);
    let based = "<base href='/other/'><a href=x>x</a>";
    assert_eq!(markdown(based, Some(&page)), "[x](https://a.example/other/x)");
}

#[test]
fn broken_and_huge_pages_end_soon() {
    let deep = "<div><ul><li><b><table><td>".repeat(20_000);
    assert!(markdown(&deep, None).is_empty());
    let open = format!("{}x", "<blockquote>".repeat(10_000));
    assert!(markdown(&open, None).ends_with('x'));
    for piece in ["<!--", "<a b='", "&#", "<p></div>", "</td>", "<td>", "<script>", "\u{0}", "<main><article>"] {
        let _ = markdown(&piece.repeat(20_000), None);
    }
}

#[test]
fn bodies_are_read_by_their_characters() {
    assert_eq!(text_of("é".as_bytes(), "text/html"), "é");
    assert_eq!(text_of(b"caf\xe9 \x80", "text/html; charset=iso-8859-1"), "café €");
    assert_eq!(text_of(b"\xff", "text/html; charset=UTF-8"), "\u{fffd}");
    assert!(is_html("text/html", "x") && is_html("", " <!DOCTYPE html><p>") && !is_html("text/plain", "<html>"));
}
