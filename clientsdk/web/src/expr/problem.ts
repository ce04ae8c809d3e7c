/** A text in the languages of the product. */
export interface Text {
  readonly zh: string;
  readonly en: string;
}

/** Says why a text is no formula, and where: at counts characters, the first being 1. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly at: number,
    readonly near: string,
    readonly reason: Text,
  ) {
    super(`at ${at}${near === "" ? "" : ` (${near})`}: ${reason.en}`);
  }

  /** What whoever wrote the formula reads. */
  get text(): Text {
    const near = this.near === "" ? "" : `“${this.near}”`;
    return { zh: `第 ${this.at} 个字符${near}：${this.reason.zh}`, en: this.message };
  }
}

/** The reasons for which a text is no formula: those of the Go package expr. */
export const reasons = {
  tooLong: { zh: "条件太长，最多 4000 个字符", en: "longer than 4,000 characters" },
  tooDeep: { zh: "嵌套太深，最多 50 层", en: "nested more than 50 deep" },
  endsEarly: { zh: "条件没有写完", en: "it ends too early" },
  notExpected: { zh: "此处不应出现", en: "not expected here" },
  straight: { zh: "请改用半角符号", en: "write it half-width: ' \" ( ) , = < >" },
  openQuote: { zh: "引号没有成对", en: "a quote that is not closed" },
  openName: { zh: "栏目应写作 ${名称}", en: "a field is written ${name}" },
  noPaths: { zh: "不支持路径，请写作 ${名称}", en: "paths are not supported, a field is written ${name}" },
  longNumber: { zh: "数字太长，小数点前后各最多 20 位", en: "more than 20 digits before or behind the point" },
  noField: { zh: "没有这个栏目", en: "no such field" },
  noSetting: { zh: "没有这项设置", en: "no such setting" },
  noFunction: { zh: "不支持这个函数", en: "this function is not supported" },
  badArguments: { zh: "参数个数不对", en: "the wrong number of arguments" },
  literalNeeded: { zh: "此处须直接写出带引号的文字", en: "a text in quotes is needed here" },
  badFormat: { zh: "日期格式只能用 %Y %m %n %d %e %H %M %S", en: "of a date's format only %Y %m %n %d %e %H %M %S are supported" },
  badPattern: { zh: "正则表达式不完整或有误", en: "not a regular expression" },
  noSuchPattern: { zh: "正则表达式用了不支持的写法", en: "this is not supported in a regular expression" },
  bigPattern: { zh: "正则表达式太大", en: "the regular expression is too large" },
} as const satisfies Record<string, Text>;
