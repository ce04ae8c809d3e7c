package world

import (
	"fmt"
	"math/rand/v2"

	"gridsync/syncproto/form"
)

// Names are put together from common characters; none is meant to be anybody's.
var (
	surnames = []rune("赵钱孙李周吴郑王冯陈蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹章苏潘范彭鲁韦马方任袁柳史唐薛雷贺罗毕安常于傅卞齐康余顾孟黄穆萧尹姚邵汪祁毛狄米明戴宋庞熊纪舒屈项祝董梁杜阮蓝季贾江童郭梅林钟徐邱骆高夏蔡田樊胡凌霍万柯卢莫房解应丁邓")
	givens   = []rune("安邦宝斌冰波博灿昌超朝晨成城春聪达丹德栋凡芳飞菲芬丰峰凤福刚歌光广国海涵寒航豪和河红宏洪华欢辉慧惠吉佳家嘉建健江娇杰洁金锦进晶静娟军君俊凯康可兰磊蕾力立丽利莉良亮林玲凌龙璐露伦洛满梅美萌敏明铭娜宁鹏萍平琪奇琴青清庆琼秋泉群然仁荣蓉如瑞润森珊善尚生胜盛诗石世书树双爽思松涛腾天婷庭桐彤万巍薇维伟文雯武西希霞夏先贤祥翔晓孝欣新鑫兴雄秀旭轩雪雅亚岩艳阳洋扬尧叶怡艺逸益毅英颖永勇友瑜宇雨玉煜元远悦云运泽展珍真振正政之芝志智忠洲子紫宗祖")
	towns    = []string{"河源县", "清泉县", "双桥镇", "白石县", "柳林县", "东川县", "南塘镇", "青田坪", "云梦泽镇", "沙洲县"}
	trains   = []string{"火车", "长途汽车", "自驾", "拼车", "高铁"}
	firms    = []string{"五金厂", "制衣厂", "物流公司", "快餐店", "塑料厂", "电子厂", "家具厂", "超市", "汽修厂", "印刷厂"}
	frailty  = []string{"alone_old", "chronic", "disabled", "pregnant", "young_child"}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func personName(r *rand.Rand) string {
	name := string(pick(r, surnames)) + string(pick(r, givens))
	if r.IntN(10) < 7 {
		name += string(pick(r, givens))
	}
	return name
}

// numbers gives out ID numbers and mobiles, none of them twice.
type numbers struct {
	ids, mobiles map[string]bool
}

// idNumber makes a number with an area code that no place has (999xxx) and the
// check character that belongs to it.
func (n *numbers) idNumber(r *rand.Rand, birth string) string {
	for {
		digits := fmt.Sprintf("999%03d%s%s%s%03d", r.IntN(1000), birth[:4], birth[5:7], birth[8:10], r.IntN(1000))
		check, _ := form.IDCheck(digits)
		number := digits + string(check)
		if !n.ids[number] {
			n.ids[number] = true
			return number
		}
	}
}

// mobile makes a number in a range (100…) that no operator has given to people.
func (n *numbers) mobile(r *rand.Rand) string {
	for {
		number := fmt.Sprintf("100%08d", r.IntN(100_000_000))
		if !n.mobiles[number] {
			n.mobiles[number] = true
			return number
		}
	}
}

// fullWidth writes digits and letters as an input method in full-width mode does.
func fullWidth(s string) string {
	out := []rune(s)
	for i, c := range out {
		if c > ' ' && c < 0x7f {
			out[i] = c + 0xfee0
		}
	}
	return string(out)
}
