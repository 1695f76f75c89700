//! What the engine adds to the specifications, and what it withstands.

use super::{Heading, MarkdownOptions, Rendered, excerpt, prepare, render};

const OPTIONS: MarkdownOptions<'_> = MarkdownOptions {
    highlight: true,
    base_path: "/blog",
    page_path: "/2026/11/hello/",
    images: &[],
    opens_page: false,
};

fn rendered(markdown: &str) -> Rendered {
    render(markdown, &OPTIONS)
}

fn html(markdown: &str) -> String {
    rendered(markdown).html
}

mod additions {
    use super::*;

    #[test]
    fn headings_get_an_id_and_a_link_to_themselves() {
        let page = rendered("## Hello *big* [world](/w)\n\n## Hello big world\n\n# Custom {#my-id .wide}\n");
        assert_eq!(
            page.html.lines().next().unwrap(),
            "<h2 id=\"hello-big-world\">Hello <em>big</em> <a href=\"/blog/w\">world</a> <a class=\"anchor\" \
             href=\"#hello-big-world\" aria-label=\"Link to section: Hello big world\">#</a></h2>"
        );
        let heading = |level, id: &str, text: &str| Heading { level, id: id.to_owned(), text: text.to_owned() };
        assert_eq!(
            page.headings,
            [
                heading(2, "hello-big-world", "Hello big world"),
                heading(2, "hello-big-world-1", "Hello big world"),
                heading(1, "my-id", "Custom"),
            ]
        );
        assert!(page.html.contains("<h1 id=\"my-id\" class=\"wide\">Custom <a"), "{}", page.html);
    }

    #[test]
    fn a_heading_can_not_break_out_of_its_attributes() {
        let page = html("# \"><b>x {#\"onclick=y data-a=\"b onclick=\"z}");
        assert!(page.starts_with("<h1 id=\"&quot;onclick=y\" data-a=\"&quot;b\" onclick=\"&quot;z\">"), "{page}");
        assert!(page.contains("aria-label=\"Link to section: “&gt;x\">"), "{page}");
    }

    #[test]
    fn links_and_images_are_root_relative_and_remembered() {
        let page = rendered(
            "[a](/x?q#f) [b](../other/) ![c](pic%20one.png \"t\") [d](https://e.org) [e](#here)\n\n\
             <p><img src=\"raw.png\"><a href='/y'>y</a></p>\n\nand <a href=\"z\">inline</a>",
        );
        assert_eq!(
            page.links,
            ["/x", "/2026/11/other/", "/2026/11/hello/pic one.png", "/2026/11/hello/raw.png", "/y", "/2026/11/hello/z"]
        );
        assert!(page.html.contains("<a href=\"/blog/x?q#f\">"), "{}", page.html);
        assert!(page.html.contains(
            "<img src=\"/blog/2026/11/hello/pic%20one.png\" alt=\"c\" title=\"t\" loading=\"lazy\" decoding=\"async\">"
        ));
        assert!(page.html.contains("<a href=\"https://e.org\">d</a> <a href=\"#here\">e</a>"), "{}", page.html);
        assert!(page.html.contains("<img src=\"/blog/2026/11/hello/raw.png\"><a href='/blog/y'>"), "{}", page.html);
    }

    #[test]
    fn tables_scroll_and_align_by_class() {
        let page = html("|a|b|\n|:-|-:|\n|1|2|\n");
        assert!(
            page.starts_with(
                "<div class=\"table-scroll\" role=\"group\" aria-label=\"Table\" tabindex=\"0\">\n<table>"
            )
        );
        assert!(page.contains("<th class=\"align-left\">a</th>\n<th class=\"align-right\">b</th>"), "{page}");
        assert!(page.ends_with("</tbody>\n</table>\n</div>\n"), "{page}");
    }

    #[test]
    fn tasks_have_a_class_and_a_name() {
        let tight = html("- [x] a\n- [ ] b\n");
        assert!(
            tight.contains("<li class=\"task\"><input type=\"checkbox\" disabled checked aria-label=\"Done\"> a</li>")
        );
        assert!(tight.contains("<li class=\"task\"><input type=\"checkbox\" disabled aria-label=\"To do\"> b</li>"));
        let loose = html("- [x] a\n\n- b\n");
        assert_eq!(loose.matches("<li class=\"task\">").count(), 1, "{loose}");
    }

    #[test]
    fn alerts_are_notes_with_a_title() {
        let page = html("> [!WARNING]\n> Hot\n");
        assert_eq!(
            page,
            "<div class=\"alert alert-warning\" role=\"note\">\n<p class=\"alert-title\">Warning</p>\n<p>Hot</p>\n</div>\n"
        );
    }

    #[test]
    fn footnotes_are_numbered_by_use_and_lead_back() {
        let page = html("One[^b] two[^a] three[^b].\n\n[^a]: Alpha\n[^b]: Beta\n[^c]: Unused\n");
        assert!(
            page.contains("<sup class=\"footnote-ref\" id=\"fnref:1\"><a href=\"#fn:1\" role=\"doc-noteref\""),
            "{page}"
        );
        assert!(page.contains("id=\"fnref:1:2\"><a href=\"#fn:1\""), "{page}");
        let notes = page.split("<div class=\"footnotes\"").nth(1).unwrap();
        let order: Vec<_> = ["Beta", "Alpha", "Unused"].iter().map(|note| notes.find(note).unwrap()).collect();
        assert!(order.is_sorted(), "{notes}");
        assert!(notes.contains("Beta <a class=\"footnote-back\" href=\"#fnref:1\" role=\"doc-backlink\""), "{notes}");
        assert!(
            notes.contains("href=\"#fnref:1:2\" role=\"doc-backlink\" aria-label=\"Back to reference 1-2\""),
            "{notes}"
        );
    }

    #[test]
    fn a_footnote_in_a_link_makes_no_link_in_a_link() {
        let page = html("[text[^1]](/x) [t[^1]][r]\n\n[^1]: Note\n\n[r]: /y\n");
        assert!(!page.contains("/x\">") && page.contains("<a href=\"/blog/y\">r</a>"), "{page}");
    }

    #[test]
    fn no_id_stands_twice() {
        let page = html(
            "# A\n\n# A\n\n# A-1\n\n<b id=\"a-2\">x</b>\n\n# A 2\n\nx[^1] y[^1]\n\n[^1]: a\n\n[^1]: b\n\n# fn:1\n",
        );
        let mut ids: Vec<_> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{page}");
    }

    #[test]
    fn on_other_pages_ids_are_gone_and_fragments_lead_home() {
        let page =
            rendered("# Top\n\n## [In](/in) it\n\nx[^1] [up](#top) [r](/r) <i id=\"q\">i</i>\n\n[^1]: n ![i](i.png)\n");
        let list = page.embedded("", "/blog/2026/11/hello/");
        assert!(!list.contains(" id="), "{list}");
        assert!(list.contains("<h1>Top <a class=\"anchor\" href=\"/blog/2026/11/hello/#top\""), "{list}");
        assert!(
            list.contains("href=\"/blog/2026/11/hello/#fn:1\"")
                && list.contains("href=\"/blog/2026/11/hello/#fnref:1\"")
        );
        assert!(list.contains("<a href=\"/blog/r\">"), "{list}");
        assert!(list.contains("<h2><a href=\"/blog/in\">In</a> it <a"), "{list}");
        let feed = page.embedded("https://e.org", "/blog/2026/11/hello/");
        assert!(feed.contains("<a href=\"https://e.org/blog/r\">"), "{feed}");
        assert!(feed.contains("<h2><a href=\"https://e.org/blog/in\">In</a> it <a"), "{feed}");
        assert!(feed.contains("href=\"https://e.org/blog/2026/11/hello/#top\""), "{feed}");
        assert!(feed.contains("<img src=\"https://e.org/blog/2026/11/hello/i.png\""), "{feed}");
    }

    #[test]
    fn code_is_coloured_where_the_language_is_known() {
        let page = rendered("```rust,ignore\nfn x() {}\n```\n");
        assert!(page.has_code);
        assert_eq!(
            page.html,
            "<pre tabindex=\"0\"><code class=\"language-rust\"><span class=k>fn</span> <span class=nf>x</span>() {}\n</code></pre>\n"
        );
        assert!(html("```klingon\n<Qapla'>\n```").contains("<code class=\"language-klingon\">&lt;Qapla'&gt;\n"));
        assert!(html("    indented <b>\n").contains("<code>indented &lt;b&gt;\n"));
        assert!(!rendered("`a`").has_code);
    }

    #[test]
    fn punctuation_is_smart() {
        assert_eq!(html("\"It's\" -- he said..."), "<p>“It’s” – he said…</p>\n");
    }
}

mod excerpts {
    use super::*;

    #[test]
    fn the_excerpt_is_plain_text_of_the_paragraphs() {
        let text = "# Title\n\n```\ncode\n```\n\nFirst **bold** [link](x) and `code`.\n\n> Second &amp; ![alt](y)\n";
        assert_eq!(excerpt(text, 200), "First bold link and code. Second & alt");
    }

    #[test]
    fn lists_count_where_there_are_no_paragraphs() {
        assert_eq!(excerpt("## Changes\n\n- one\n- two\n\n      code\n- three\n\n|a|\n|-|\n", 200), "one two three");
    }

    #[test]
    fn it_ends_between_words() {
        assert_eq!(excerpt("The quick brown fox jumps", 16), "The quick brown…");
        assert_eq!(excerpt("The quick brown fox jumps", 25), "The quick brown fox jumps");
        assert_eq!(excerpt("世界世界世界世界", 4), "世界世…");
        assert_eq!(excerpt("word", 0), "…");
        assert_eq!(excerpt("", 10), "");
    }

    #[test]
    fn it_ends_where_the_author_says() {
        assert_eq!(excerpt("Before.\n\n<!--more-->\n\nAfter.", 200), "Before.");
    }

    #[test]
    fn what_is_defined_far_below_leaves_no_trace() {
        let text = format!("See [the docs][d] and this[^1] [sic].\n\n{}\n\n[d]: /x\n[^1]: n", "filler ".repeat(5_000));
        assert!(excerpt(&text, 30).starts_with("See the docs and this [sic]"), "{}", excerpt(&text, 30));
    }
}

mod hostile {
    use super::*;

    /// As small as a thread that renders may have it, to see recursion.
    const STACK: usize = 256 * 1024;

    fn survives(markdown: String) -> Rendered {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn(move || rendered(&markdown)).unwrap().join().unwrap()
    }

    #[test]
    fn deep_nesting_ends_at_the_limit_as_text() {
        for depth in [10_000, 100_000] {
            let page = survives(format!("{} deep", ">".repeat(depth)));
            assert_eq!(page.html.matches("<blockquote>").count(), prepare::MAX_NESTING);
            assert!(page.html.contains("&gt;&gt;&gt; deep</p>"));
            assert_eq!(page.html.matches("</blockquote>").count(), prepare::MAX_NESTING);
        }
    }

    #[test]
    fn nothing_that_is_opened_and_not_closed_overflows_the_stack() {
        let openers = [
            "[",
            "![",
            "(",
            "[a](",
            "![a](",
            "*",
            "**a ",
            "_a_ ",
            "*a **b ",
            "~~a ",
            "`",
            "<",
            "<a href=\"",
            "<!--",
            "</",
            "{",
            "- ",
            "+ ",
            "1. ",
            "1) > ",
            "> - ",
            "- [ ] ",
            "[^a]: > ",
            "[^a]",
            "|",
            "# ",
            "\\",
            "&",
            "\"",
            "> [!NOTE]\n",
            "```\n",
            "<div>\n\n",
            "\0",
            "\u{FFFF}",
            "\r",
            "\t",
        ];
        for opener in openers {
            survives(opener.repeat(10_000));
        }
    }

    #[test]
    fn nested_elements_are_all_closed() {
        for (open, close, tag) in [("[", "](x)", "a"), ("*a ", "b* ", "em"), ("![", "](x)", "p")] {
            let page = survives(format!("{}x{}", open.repeat(20_000), close.repeat(20_000))).html;
            let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count());
        }
    }

    /// Each of these took a time that grew with the square of its length before nesting was limited.
    #[test]
    fn deep_containers_before_many_lines_stay_affordable() {
        for opener in [">", "- ", "+ 1. ", "[^a]: > "] {
            for line in ["a\n", "[a]: b\n", "\n", "    a\n"] {
                survives(format!("{}a\n{}", opener.repeat(20_000), line.repeat(20_000)));
            }
            survives(format!("{}```\n{}", opener.repeat(20_000), "\n".repeat(20_000)));
        }
    }

    #[test]
    fn a_document_of_fifty_megabytes_is_rendered() {
        let paragraph =
            format!("{}*text* with [a link](/x) and `code`.\n\n", "Plain words again and again. ".repeat(80));
        let count = 50 * 1024 * 1024 / paragraph.len();
        let page = survives(paragraph.repeat(count));
        assert_eq!((page.links.len(), page.html.matches("<p>").count()), (count, count));
        assert!(page.html.len() > 50 * 1024 * 1024);
    }

    #[test]
    fn forbidden_characters_never_reach_the_html() {
        let page = html("a\0b\x01 &#1; &#0; `\x02` <b title='\x1f'> ![\x08](x)");
        assert!(page.bytes().all(|byte| byte >= b' ' || byte == b'\n'), "{page:?}");
    }

    #[test]
    fn hostile_code_blocks_are_shown_whole() {
        for (language, code) in
            [("js", "${`".repeat(20_000)), ("html", "<script><!--".repeat(10_000)), ("css", "a{".repeat(20_000))]
        {
            let page = survives(format!("```{language}\n{code}\n```\n"));
            assert!(page.html.ends_with("</code></pre>\n"));
        }
    }
}
