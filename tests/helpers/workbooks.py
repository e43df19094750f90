"""Workbooks for tests: xlsx written by hand, and the bytes of one xls file."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
# Style 1 is a date.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


class Day(int):
    """A day as a workbook keeps it: a serial number in the style of a date."""


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """Return a workbook; None is an empty cell, a number a number, everything else text."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        listed = "".join(
            f'<sheet name="{escape(name)}" sheetId="{number}" r:id="r{number}"/>'
            for number, name in enumerate(sheets, 1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>',
        )
        links = "".join(
            f'<Relationship Id="r{number}" Type="{_RELATIONS}/worksheet" Target="worksheets/s{number}.xml"/>'
            for number in range(1, len(sheets) + 1)
        )
        links += f'<Relationship Id="styles" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{links}</Relationships>'
        )
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{_TYPES}"/>')
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_RELATIONS}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr("xl/styles.xml", _STYLES)
        for number, rows in enumerate(sheets.values(), 1):
            cells = "".join(
                f'<row r="{row}">'
                + "".join(_cell(f"{_letters(column)}{row}", value) for column, value in enumerate(values))
                + "</row>"
                for row, values in enumerate(rows, 1)
            )
            archive.writestr(
                f"xl/worksheets/s{number}.xml",
                f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>',
            )
    return content.getvalue()


def far_cell() -> bytes:
    """Return a workbook of two cells, the first and the one in row 99 and column Z."""
    content = io.BytesIO(xlsx({"a": [["x"]]}))
    with zipfile.ZipFile(content) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/s1.xml"].replace(
        b"</sheetData>", b'<row r="99"><c r="Z99"><v>1</v></c></row></sheetData>'
    )
    with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
        for name, part in (parts | {"xl/worksheets/s1.xml": sheet}).items():
            archive.writestr(name, part)
    return content.getvalue()


def _cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Day):
        return f'<c r="{place}" s="1"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def _letters(column: int) -> str:
    return chr(65 + column)


def margin_xls() -> bytes:
    """Return rzrqjygk20250820.xls, as the Shanghai exchange publishes margin details, with made-up numbers.

    A sheet 汇总信息 with the sum of the market, and a sheet 明细信息 with 515980 (balance 234,567,890, bought
    12,345,678, repaid 1,000,000) and the share 600000. It was written with xlwt.
    """
    return zlib.decompress(base64.b85decode(_MARGIN))


_MARGIN = (
    r"c-rk)O-NKx6h8O;IL@Twj6abEHVB!Si_x&ALPz@(qQ;*V{ZROmGa8!8P>}{Xr9(kTK`kl@65K?f1<}8dn`jYOwkU$YNnF(;qoRfS"
    r"I`_Qy>{+vLpd{mck9+RD=bn4snRCwlnfGGYIof+WBLcsm7(|#>tPp45F)UWS;{Y626yDV9cr1#E1qEw71~N{DM~TlZJcc~p5fI>("
    r"G=vo3J(hjY2ENu7ziS?`k!+}C+=e11VeScV6^k9x$*yFg2Z*K+9U$4qL`#U%L$nBGN7-H&_WE)?S|0BfvS`eXl)*ik^OiXIkOt3q"
    r"9(SH+s;ms9!GpEU|K>oZlmLBzkt_4J_=C00qmYUr?1Qh03*d{sR-d>`{`~S8ApiSpz9kC(f*=8eK&fFo5yQBvHcEU%Vr9)6Y9i&W"
    r"HJqpJ!V<Fwo}S>mNw^6K$XP@SmPN{Qj`aCb0^|N=4OU=z4decv)0=ztlwZ4)1Dh&W@{PH`T~O%u6u42`(%5};=&Yw|%*T!yx}oEr"
    r"+HF5)xB2{)`g{Ysv*OJ;osCu%<`=H>xN&(t^o{TD2uy{Lx5mwZyuhKCJHK7re#XYn4cccMv-X)pT73yf>miBSPFjNwG<fpH#K?}i"
    r"3U4)WLUgvMC(v^4GEm?opMjI@G$PE<T%xOpo+7PFshvSI6;}?{*%fJ8V`~@5bkk@yzGpSzm3M`qorCT0hsyhz;W00FXMb6wBenmv"
    r"w->VTM6Ad8{ON)`mdCDK=6K-MYo_g0?}(=Vwr|A?4$XE&J7$w$3T)JL5><QLJ4};jQRErPbB!YUgpoXY?oP-*Qd%q|!(DPwiQzn-"
    r"kGP0L<pmrUIci+QS#gnOdV&@uwI^avp6N;0i!($}jv7IWCa*@2`*#qQ(D~<tZDSwTI$?cyLcoYvi%=uiB}CCBkS?pHOO2sT%MF2a"
    r"AzanhKbH=YA4JVIl}bPv1JN?Zgb5QSOqejS(807@vq-1DdQ;;!0E_lrX9~--`I+RuMHRH-a~S`YZh;o8gU}vR{wxNW>AKh)=jh)H"
    r"Id<XOgU|$ZWJgoX`HOc~X8b*Kp6K{<ODNX&Psd{CUw;1&RaiDX"
)
